"""What have the tenants used so far, and what would it cost?"""

from grafana.board import Board, to_board
from grafana.influxql import BAND_FIELDS, SITE, SOURCE_FIELDS, TENANT, every, points, total
from grafana.panels import GREEN, ORANGE, RED, YELLOW, Panel

_WHO = [SITE, TENANT]
_PLAIN = ("renameByRegex", {"regex": "^(?:sum_)?(?:band|source)_(.*)_wh$", "renamePattern": "$1"})

MONTH = (
    Panel(kind="table", title="Month to date and last month", unit="watth", width=24,
          about="Energy of each tenant by month, of which direct, shared and unaccounted, and the "
                "share that was measured. Provisional until the run is issued.",
          queries=[points('"energy_wh", "direct_wh", "shared_wh", "unaccounted_wh", '
                          '"measured_pct"', "tenant_month", _WHO, ["tenant", "month"],
                          table=True)],
          units={"measured_pct": "percent"},
          transformations=[("organize", {
              "excludeByName": {"Time": True},
              "indexByName": {"month": 0, "tenant": 1, "energy_wh": 2, "direct_wh": 3,
                              "shared_wh": 4, "unaccounted_wh": 5, "measured_pct": 6}})]),
    Panel(kind="table", title="Energy by band and source", unit="watth", width=24,
          about="Energy of each tenant by month: once by band of the tariff, once by source.",
          queries=[points(f'{BAND_FIELDS}, {SOURCE_FIELDS}', "tenant_month", _WHO,
                          ["tenant", "month"], table=True)],
          transformations=[_PLAIN, ("organize", {
              "excludeByName": {"Time": True}, "indexByName": {"month": 0, "tenant": 1}})]),
    Panel(kind="table", title="Provisional cost by source, band and line", unit="none", width=24,
          about="Today's tariffs on the energy so far. The bill replaces them when it comes.",
          decimals=2,
          queries=[total('last("amount") AS "amount"', "tenant_cost", _WHO,
                         ["month", "tenant", "source", "band", "line", "currency"], table=True)],
          transformations=[("organize", {
              "excludeByName": {"Time": True},
              "indexByName": {"month": 0, "tenant": 1, "source": 2, "band": 3, "line": 4,
                              "amount": 5, "currency": 6}})]),
    Panel(kind="bargauge", title="Provisional cost by tenant", unit="none", decimals=0, width=8,
          about="Sum of the lines, by month; the table above names the currency.",
          queries=[total('sum("amount")', "tenant_cost", _WHO, ["tenant", "month"])]),
    Panel(kind="bargauge", title="Provisional cost by source and band", unit="none", decimals=0,
          about="All chosen tenants together; `all` is what no band is named for.", width=8,
          queries=[total('sum("amount")', "tenant_cost", _WHO, ["source", "band", "month"])]),
    Panel(kind="bargauge", title="Energy by tenant", unit="watth", decimals=0, width=8,
          about="By month: this month so far beside the whole last month.",
          queries=[total('sum("energy_wh")', "tenant_month", _WHO, ["tenant", "month"])]),
)

KINDS = (
    Panel(kind="timeseries", title="Energy by band", unit="watth", stacked=True, interval="30m",
          about="All chosen tenants together, by band of the tariff.",
          queries=[every(f"sum({BAND_FIELDS})", "tenant_energy", _WHO, alias="$col")],
          transformations=[_PLAIN]),
    Panel(kind="timeseries", title="Energy by source", unit="watth", stacked=True, interval="30m",
          about="All chosen tenants together, by source.",
          queries=[every(f"sum({SOURCE_FIELDS})", "tenant_energy", _WHO, alias="$col")],
          transformations=[_PLAIN]),
    Panel(kind="timeseries", title="Direct, shared and unaccounted", unit="watth", stacked=True,
          about="All chosen tenants together: their seats, their parts of what is shared, and of "
                "what no meter saw.", interval="30m",
          queries=[every(f'sum("{kind}_wh")', "tenant_energy", _WHO, alias=kind)
                   for kind in ("direct", "shared", "unaccounted")]),
    Panel(kind="timeseries", title="Daily energy", unit="kwatth", stacked=True, bars=True,
          about="Each local day by tenant.",
          link=("Electricity", to_board("sw-electricity", "site", of_series=("tenant",))),
          queries=[points('"energy_wh" / 1000', "tenant_day", _WHO, ["tenant"])]),
    Panel(kind="stat", title="Measured share", unit="percent", decimals=1, width=24, height=5,
          about="Share of each tenant's energy that rests on measured intervals, lowest day.",
          steps=((None, RED), (90, ORANGE), (97, YELLOW), (99, GREEN)),
          queries=[total('min("measured_pct")', "tenant_day", _WHO, ["tenant"])]),
)

BOARD = Board(
    # A month's point stands at the site's midnight, which may lie before the viewer's.
    uid="sw-tenants", folder="Tenants", title="Tenants", from_="now-1M/M-1d",
    variables=("site", "tenant"),
    question="What have the tenants used so far, and what would it cost?",
    rows=(("Months", MONTH), ("Where it comes from", KINDS)))
