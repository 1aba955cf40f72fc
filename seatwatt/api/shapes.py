"""The shapes of answers, as the OpenAPI document shows them."""

from typing import Any

from pydantic import BaseModel, Field

_TIME = "2026-10-01T00:00:00+05:00"


class SiteLine(BaseModel):
    """One site in the list."""

    id: str = Field(examples=["workaround"])
    name: str = Field(examples=["Workaround, Peshawar"])
    time_zone: str | None = Field(examples=["Asia/Karachi"])
    currency: str | None = Field(examples=["PKR"])
    declared: bool = Field(description="whether the ledger holds its declaration")
    has_readings: bool


class SiteList(BaseModel):
    """All sites the caller may see."""

    sites: list[SiteLine]


class LastValue(BaseModel):
    """The newest reading of one quantity."""

    value: float | str = Field(examples=[86.4])
    unit: str = Field(examples=["W"])
    taken_at: str = Field(examples=["2026-10-01T03:12:45.250+00:00"])
    age_s: float = Field(examples=[12.5])


class DeviceLine(BaseModel):
    """One device with its newest readings; `silent` when none came for `silent_after_s`."""

    device: str = Field(examples=["seat/hall-a/017"])
    kind: str = Field(examples=["seat"])
    zone: str = Field(examples=["hall-a"])
    name: str = Field(examples=["017"])
    status: str = Field(examples=["ok"], pattern="^(ok|silent)$")
    age_s: float | None = Field(examples=[12.5], description="null: never heard of")
    readings: dict[str, LastValue]


class DeviceList(BaseModel):
    """One page of a site's devices, in order of their names."""

    site: str
    silent_after_s: float
    devices: list[DeviceLine]
    next_cursor: str | None = Field(description="give it as `cursor` for the next page")


class EnergyPoint(BaseModel):
    """Energy of one step."""

    model_config = {"populate_by_name": True}

    from_: str = Field(alias="from", examples=[_TIME])
    to: str = Field(examples=["2026-10-01T00:30:00+05:00"])
    energy_wh: float = Field(examples=[412.125])
    quality: str = Field(examples=["measured"], pattern="^(measured|estimated|missing)$")


class EnergySeries(BaseModel):
    """Energy of one meter, seat, zone or tenant."""

    id: str = Field(examples=["meter/plant/grid"])
    energy_wh: float = Field(examples=[412.125])
    points: list[EnergyPoint]


class Energy(BaseModel):
    """Energy over a period by step; each quality is the worst of the step's intervals."""

    model_config = {"populate_by_name": True}

    site: str
    by: str
    step: str
    from_: str = Field(alias="from", examples=[_TIME])
    to: str = Field(examples=["2026-11-01T00:00:00+05:00"])
    interval_s: int = Field(examples=[1800])
    series: list[EnergySeries]


class Ready(BaseModel):
    """Which dependency answers, and what the others say."""

    ready: bool
    dependencies: dict[str, str] = Field(examples=[{"store": "ok", "ledger": "ok"}])


class JobLine(BaseModel):
    """One scheduled job and its last run."""

    name: str = Field(examples=["device_health"])
    title: str
    every_s: int = Field(examples=[60])
    status: str = Field(examples=["ok"], pattern="^(never|running|ok|failed)$")
    started_at: str | None
    finished_at: str | None
    detail: str = Field(examples=["373 devices, 2 silent"])
    failures: int = Field(description="runs that ever failed")
    next_run_at: str | None


class JobList(BaseModel):
    """All scheduled jobs."""

    jobs: list[JobLine]


class ItemList(BaseModel):
    """Declared items of one kind, in the order of the site file."""

    items: list[dict[str, Any]]


class ChangeLine(BaseModel):
    """One line of the audit trail."""

    id: int
    revision: int
    at: str = Field(examples=["2026-10-01T03:12:45.250+00:00"])
    who: str = Field(examples=["key first"])
    action: str = Field(examples=["changed"])
    kind: str = Field(examples=["lease"])
    name: str = Field(examples=["lease-3"])
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class ChangeList(BaseModel):
    """One page of a site's audit trail."""

    site: str
    changes: list[ChangeLine]
    next_cursor: int | None


Document = dict[str, Any]
