"""`seatwatt event`: what it writes, and what it refuses in one line."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from seatwatt.cli.event import app
from seatwatt.contract.errors import InputError
from seatwatt.settings import StoreSettings
from seatwatt.store.open import open_reader

FROM, TO = "2026-10-07T11:00+05:00", "2026-10-07T12:30+05:00"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StoreSettings:
    url = f"sqlite:///{tmp_path}/readings.db"
    monkeypatch.setenv("SEATWATT_STORE_URL", url)
    return StoreSettings(store_url=url)


def test_maintenance_is_an_event_of_its_time(store: StoreSettings) -> None:
    done = CliRunner().invoke(app, ["workaround", FROM, TO, "board B off"])
    assert done.exit_code == 0, done.output
    reader = open_reader(store)
    [point] = reader.derived("events", (("site", "workaround"),), 0, 2_000_000_000_000)
    reader.close()
    assert dict(point.tags) == {"site": "workaround", "kind": "maintenance", "subject": "site"}
    assert dict(point.fields)["title"] == "board B off"
    assert dict(point.fields)["end_ms"] == point.time_ms + 5_400_000
    assert point.time_ms == 1_791_352_800_000


@pytest.mark.parametrize(("arguments", "words"), [
    (["Work", FROM, TO, "x"], "site"),
    (["one", "yesterday", TO, "x"], "FROM: 'yesterday' is no instant"),
    (["one", "2026-10-07T11:00", TO, "x"], "no instant"),
    (["one", TO, FROM, "x"], "TO: .* is before"),
    (["one", FROM, TO, " "], "TITLE: it is empty"),
])
def test_what_is_wrong_is_told_in_a_line(store: StoreSettings, arguments: list[str], words: str
                                         ) -> None:
    with pytest.raises(InputError, match=words):
        CliRunner().invoke(app, arguments, catch_exceptions=False)
