"""What an alert rule is, and the rules themselves. Each is told by one field of one query, reduced
and held to a threshold; where two queries decide, an expression joins them by their labels."""

from collections.abc import Sequence
from dataclasses import dataclass

from grafana.influxql import risen

UNIT = ["site", "zone", "device"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One alert rule. `queries` are A and, where there are two, B; `reducers` go with them."""

    uid: str
    group: str
    title: str
    queries: Sequence[str]
    reducers: Sequence[str] = ("last",)
    over_s: int = 600
    test: str
    """gt, lt or outside_range."""
    limits: Sequence[float]
    math: str = ""
    """An expression of $RA and $RB; the threshold is then put to it."""
    pending: str = "1m"
    severity: str = "warning"
    summary: str
    runbook: str
    panel: tuple[str, str]
    """uid of the dashboard and title of the panel that shows it."""
    no_data: str = "OK"
    on_error: str = "KeepLast"
    missing: int = 2
    """Evaluations without the series after which the alert is resolved."""


def _select(what: str, measurement: str, by: Sequence[str], *where: str) -> str:
    tags = ", ".join(f'"{tag}"' for tag in by)
    conditions = " AND ".join([*where, "$timeFilter"])
    return f'SELECT {what} FROM "{measurement}" WHERE {conditions} GROUP BY {tags}'


def _flag(uid: str, field: str, title: str, summary: str, severity: str, pending: str,
          panel: str) -> Rule:
    """A UPS's own flag; `missing` is long, for a UPS that dies on battery is not well again."""
    return Rule(uid=uid, group="ups", title=title, severity=severity, pending=pending, missing=30,
                queries=[_select(f'last("{field}")', "ups", UNIT)], test="gt", limits=[0],
                summary=f"{{{{ $labels.device }}}} at {{{{ $labels.site }}}} {summary}",
                runbook=f"ups.md#{title.lower().replace(' ', '-')}", panel=("sw-ups", panel))


UPS = (
    _flag("sw-ups-on-battery", "on_battery", "UPS on battery", "is on battery", "critical", "1m",
          "Mains or battery"),
    _flag("sw-ups-low-battery", "low_battery", "UPS low battery", "has a low battery", "critical",
          "0s", "Charge"),
    _flag("sw-ups-replace-battery", "replace_battery", "UPS replace battery",
          "asks for a new battery", "warning", "5m", "Replace battery"),
    _flag("sw-ups-overload", "overload", "UPS overload", "is overloaded", "critical", "2m", "Load"),
    _flag("sw-ups-bypass", "bypass", "UPS bypass", "is on bypass: nothing protects its load",
          "critical", "1m", "Mains or battery"),
    Rule(uid="sw-ups-runtime", group="ups", title="UPS runtime short", severity="critical",
         queries=[_select('last("battery_runtime_s")', "ups", UNIT)], test="lt", limits=[300],
         pending="1m", missing=30,
         summary="{{ $labels.device }} at {{ $labels.site }} would last less than five minutes",
         runbook="ups.md#ups-runtime-short", panel=("sw-ups", "Runtime left")),
    Rule(uid="sw-ups-load", group="ups", title="UPS load high",
         queries=[_select('mean("load_pct")', "ups", UNIT)], test="gt", limits=[80], pending="5m",
         summary="{{ $labels.device }} at {{ $labels.site }} carries more than 80 % of its rating",
         runbook="ups.md#ups-load-high", panel=("sw-ups", "Load")),
)

_VOLTAGES = tuple(
    Rule(uid=f"sw-voltage-l{n}", group="electricity", title=f"Phase voltage L{n}", over_s=300,
         # A dead mains reads 0 V: that is an outage, told by the UPSs, and no bad voltage.
         queries=[_select(f'mean("voltage_l{n}_v")', "meter", UNIT, f'"voltage_l{n}_v" > 50')],
         test="outside_range", limits=[218.5, 241.5], pending="5m",
         summary=f"Phase L{n} at {{{{ $labels.device }}}}, {{{{ $labels.site }}}}, is outside "
                 "218.5 to 241.5 V",
         runbook="electricity.md#phase-voltage", panel=("sw-electricity", "Phase voltage, lowest"))
    for n in (1, 2, 3))

ELECTRICITY = (
    *_VOLTAGES,
    Rule(uid="sw-frequency", group="electricity", title="Frequency", over_s=300,
         queries=[_select('mean("frequency_hz")', "meter", UNIT, '"frequency_hz" > 1')],
         test="outside_range", limits=[49.5, 50.5], pending="2m",
         summary="Frequency at {{ $labels.device }}, {{ $labels.site }}, is outside 49.5 to "
                 "50.5 Hz",
         runbook="electricity.md#frequency", panel=("sw-electricity", "Frequency")),
    Rule(uid="sw-power-factor", group="electricity", title="Power factor", over_s=1800,
         queries=[_select('mean("power_factor")', "meter", UNIT, '"power_w" > 1000')],
         test="lt", limits=[0.85], pending="15m",
         summary="Power factor at {{ $labels.device }}, {{ $labels.site }}, is below 0.85",
         runbook="electricity.md#power-factor", panel=("sw-electricity", "Power factor")),
    Rule(uid="sw-demand", group="electricity", title="Demand near the sanctioned load", over_s=900,
         queries=[_select('mean("load_pct")', "site_now", ["site"])],
         test="gt", limits=[90], pending="5m",
         summary="{{ $labels.site }} draws more than 90 % of its sanctioned load",
         runbook="electricity.md#demand-near-the-sanctioned-load",
         panel=("sw-overview", "Load of the sanctioned load")),
    # More than the coarsest register's step, a kilowatt-hour, must have gone through by its power.
    Rule(uid="sw-register-stuck", group="registers", title="Register stuck", over_s=43200,
         queries=[_select('spread("energy_import_wh")', "meter", UNIT),
                  _select('integral("power_w", 1h)', "meter", UNIT)],
         reducers=("last", "last"), math="$RA < 1 && $RB > 1100", test="gt", limits=[0],
         pending="30m",
         summary="{{ $labels.zone }}/{{ $labels.device }} at {{ $labels.site }} shows power and "
                 "its register stands still",
         runbook="electricity.md#register-stuck", panel=("sw-devices", "Meter register")),
    Rule(uid="sw-register-backwards", group="electricity", title="Register backwards", over_s=1800,
         queries=['SELECT min("step") FROM (SELECT difference("energy_import_wh") AS "step" FROM '
                  '"meter" WHERE $timeFilter GROUP BY "site", "zone", "device") WHERE $timeFilter '
                  'GROUP BY "site", "zone", "device"'],
         test="lt", limits=[0], pending="0s",
         summary="The register of {{ $labels.zone }}/{{ $labels.device }} at {{ $labels.site }} "
                 "went backwards: reset, rollover or exchange",
         runbook="electricity.md#register-backwards", panel=("sw-devices", "Meter register")),
    Rule(uid="sw-unaccounted", group="electricity", title="Unaccounted energy", over_s=86400,
         queries=[_select('100 * sum("unaccounted_wh") / sum("supply_wh")', "site_balance",
                          ["site"]),
                  _select('last("unaccounted_alarm_pct")', "site_demand", ["site"])],
         reducers=("last", "last"), math="$RA > $RB", test="gt", limits=[0], pending="30m",
         summary="More of {{ $labels.site }}'s supply is unaccounted for than its limit",
         runbook="electricity.md#unaccounted-energy", panel=("sw-overview", "Unaccounted")),
)


def _silent(kind: str, title: str, severity: str) -> Rule:
    return Rule(
        uid=f"sw-{kind}-silent", group="devices", title=title, over_s=300, severity=severity,
        queries=[_select('last("silent")', "device_health", UNIT, f"\"kind\" = '{kind}'")],
        test="gt", limits=[0], pending="3m",
        summary="{{ $labels.zone }}/{{ $labels.device }} at {{ $labels.site }}: "
                f"{kind} not heard of",
        runbook=f"{'ups' if kind == 'ups' else 'devices'}.md#{title.lower().replace(' ', '-')}",
        panel=("sw-pipeline", "Devices by age"))


DEVICES = (
    _silent("meter", "Meter silent", "critical"),
    _silent("ups", "UPS silent", "critical"),
    _silent("gateway", "Gateway offline", "critical"),
    Rule(uid="sw-seats-silent", group="devices", title="Seat sensors silent", over_s=300,
         queries=[_select('mean("silent")', "device_health", ["site", "zone"],
                          "\"kind\" = 'seat'")],
         test="gt", limits=[0.1], pending="10m",
         summary="More than a tenth of the seat sensors of {{ $labels.zone }} at "
                 "{{ $labels.site }} are silent",
         runbook="devices.md#seat-sensors-silent", panel=("sw-overview", "Silent devices")),
    Rule(uid="sw-uplink-down", group="devices", title="Uplink down", over_s=300,
         queries=[_select('last("up")', "uplink", UNIT)], test="lt", limits=[1], pending="2m",
         summary="Internet uplink {{ $labels.device }} at {{ $labels.site }} is down",
         runbook="devices.md#uplink-down", panel=("sw-devices", "Uplink")),
)

PIPELINE = (
    Rule(uid="sw-quarantine", group="pipeline", title="Quarantine growing", over_s=900,
         queries=[risen("quarantined_total", "pipeline", ["worker"])],
         test="gt", limits=[0], pending="5m",
         summary="Messages are refused ({{ $labels.worker }}): seatwatt quarantine list says why",
         runbook="pipeline.md#quarantine-growing", panel=("sw-pipeline", "Quarantine by rule")),
    Rule(uid="sw-broker-drops", group="pipeline", title="Broker drops messages", over_s=900,
         queries=[risen("broker_dropped_total", "pipeline", ["worker"])],
         test="gt", limits=[0], pending="0s",
         summary="The broker gave up messages that it had acknowledged",
         runbook="pipeline.md#broker-drops-messages",
         panel=("sw-pipeline", "Dropped by the broker")),
    # The one rule that no data and errors make fire: store or ingest gone is one alert, not fifty.
    Rule(uid="sw-ingest-lag", group="pipeline", title="Ingest lag", over_s=300,
         queries=[_select('max("oldest_unacknowledged_s")', "pipeline", ["worker"])],
         test="gt", limits=[120], pending="2m", severity="critical", no_data="Alerting",
         on_error="Alerting",
         summary="Ingest is behind, or neither it nor the store is there",
         runbook="pipeline.md#ingest-lag", panel=("sw-pipeline", "Oldest unacknowledged")),
    Rule(uid="sw-write-errors", group="pipeline", title="InfluxDB write errors", over_s=300,
         queries=[_select('last("journalled")', "pipeline", ["worker"])],
         test="gt", limits=[0], pending="2m", severity="critical",
         summary="The store refuses readings; ingest keeps them in its journal",
         runbook="pipeline.md#influxdb-write-errors", panel=("sw-pipeline", "Journalled")),
    Rule(uid="sw-unbalanced", group="pipeline", title="Ingest unbalanced", over_s=300,
         queries=[_select('min("balanced")', "pipeline", ["worker"])],
         test="lt", limits=[1], pending="5m", severity="critical",
         summary="Received is not stored + journalled + quarantined + in flight",
         runbook="pipeline.md#ingest-unbalanced",
         panel=("sw-pipeline", "Connected, store open, balanced")),
)

RULES: tuple[Rule, ...] = (*UPS, *ELECTRICITY, *DEVICES, *PIPELINE)
