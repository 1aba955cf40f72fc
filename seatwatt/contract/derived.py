"""The closed table of derived measurements: what jobs and services write for dashboards to read.

Each has a fixed set of tags. A field name with a star stands for one field a source or band.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class Derived:
    """One derived measurement."""

    name: str
    tags: tuple[str, ...]
    fields: tuple[str, ...]
    every: str
    """How often there is a point, in words."""

    def has_field(self, field: str) -> bool:
        """Whether the measurement may have a field of this name."""
        return any(fnmatchcase(field, known) for known in self.fields)


_ENERGY = ("energy_wh", "direct_wh", "shared_wh", "unaccounted_wh", "estimated_wh", "source_*_wh",
           "band_*_wh")

_ROWS = (
    Derived("site_balance", ("site",), (
        "supply_wh", "grid_wh", "generator_wh", "solar_wh", "tenants_wh", "operator_wh",
        "direct_wh", "shared_wh", "unaccounted_wh", "unaccounted_pct", "estimated_wh"),
        "each interval of the site"),
    Derived("tenant_energy", ("site", "tenant"), (*_ENERGY, "held_seat_h"),
            "each interval of the site"),
    Derived("zone_occupancy", ("site", "zone"), ("seats", "occupied", "occupied_pct"),
            "each interval of the site"),
    Derived("zone_hour", ("site", "zone", "weekday", "hour"),
            ("seats", "occupied", "occupied_pct"),
            "each interval of the site, by local weekday (1-mon) and hour (00)"),
    Derived("seat_use", ("site", "zone"), (
        "empty_drawing", "empty_wh", "held_unused", "used_unheld"), "each interval of the site"),
    Derived("site_demand", ("site",), (
        "demand_w", "sanctioned_w", "demand_pct", "unaccounted_alarm_pct"),
        "each interval of the site"),
    Derived("zone_day", ("site", "zone"), ("energy_wh",), "each local day, at its midnight"),
    Derived("tenant_day", ("site", "tenant"), (*_ENERGY, "measured_pct"),
            "each local day, at its midnight"),
    Derived("site_day", ("site",), (
        "supply_wh", "grid_wh", "generator_wh", "solar_wh", "unaccounted_wh", "demand_w",
        "generator_h"), "each local day, at its midnight"),
    Derived("ups_day", ("site", "zone", "device"), ("transfers", "battery_s"),
            "each local day, at its midnight"),
    Derived("tenant_month", ("site", "tenant", "month"), (*_ENERGY, "measured_pct"),
            "this month so far and the last one, at the month's first midnight"),
    Derived("tenant_cost",
            ("site", "tenant", "month", "source", "band", "line", "currency"), ("amount",),
            "provisional, this month so far and the last one, at the month's first midnight"),
    Derived("site_now", ("site",), (
        "load_w", "load_pct", "grid_w", "generator_w", "solar_w", "grid_on", "generator_on",
        "solar_on"), "each minute"),
    Derived("device_health", ("site", "kind", "zone", "device"), ("silent", "age_s"),
            "each minute"),
    Derived("completeness", ("site", "kind", "zone", "device"), (
        "measured", "estimated", "missing", "measured_pct"), "each local day, at its midnight"),
    Derived("events", ("site", "kind", "subject"), ("title", "text", "tags", "end_ms"),
            "when something happened; kind is a rule's number, outage, exchange, tariff or "
            "maintenance"),
    Derived("quarantine", ("rule",), ("messages",), "each minute"),
    Derived("pipeline", ("stage", "worker"), (
        "received_total", "stored_total", "journalled", "quarantined_total", "in_flight",
        "aside_total", "readings_total", "queue_messages", "queue_bytes", "journal_bytes",
        "journal_fill_pct", "unacknowledged", "oldest_unacknowledged_s", "reading_paused",
        "connected", "reconnects_total", "sessions_lost_total", "network_failures_total",
        "broker_dropped_total", "store_open", "balanced"), "each ten seconds"),
)

DERIVED: dict[str, Derived] = {row.name: row for row in _ROWS}
"""Measurement name -> what it holds."""
