"""Which store a setting means, and what a wrong one is told."""

from pathlib import Path

import pytest

from seatwatt.contract.errors import SettingsError
from seatwatt.settings import StoreSettings
from seatwatt.store.influx import InfluxWriter
from seatwatt.store.influx_http import InfluxAddress
from seatwatt.store.influx_reader import InfluxReader
from seatwatt.store.open import open_reader, open_writer, store_place
from seatwatt.store.sqlite import SqliteWriter
from seatwatt.store.sqlite_reader import SqliteReader


def place(url: str, **given: object) -> Path | InfluxAddress:
    return store_place(StoreSettings.load(store_url=url, **given))


@pytest.mark.parametrize(("url", "path"), [
    ("sqlite:///var/readings.db", "var/readings.db"),
    ("sqlite:////srv/readings.db", "/srv/readings.db"),
    ("sqlite:///my%20site.db", "my site.db"),
])
def test_files(url: str, path: str) -> None:
    assert place(url) == Path(path)


def test_servers(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.touch()
    assert place("http://db:8087/readings", store_user="u", store_password="p",
                 store_timeout_s=3) == InfluxAddress(
        host="db", port=8087, database="readings", user="u", password="p", timeout_s=3.0)
    assert place("https://db.example/my%20db/", store_token="t", store_ca_file=str(authority),
                 store_gzip=True) == InfluxAddress(
        host="db.example", port=8086, database="my db", tls=True, token="t",
        ca_file=str(authority), gzip=True)


def test_an_address_shows_no_secret() -> None:
    address = place("https://db/readings", store_user="u", store_password="hidden")
    assert str(address) == "https://db:8086/readings"
    assert "hidden" not in repr(address)


@pytest.mark.parametrize("url", [
    "", "readings.db", "sqlite://readings.db", "sqlite:///", "sqlite:////", "sqlite:///var/",
    "postgresql://db/x", "http://", "http://db", "http://db/", "http:///x", "http://db:x/y",
    "http://db:99999/y", "http://db/a/b", "http://db/a?x=1", "http://db/a#b", "influx://db/x",
])
def test_what_is_no_store(url: str) -> None:
    with pytest.raises(SettingsError, match=r"SEATWATT_STORE_URL: .*; expected sqlite:///FILE"):
        place(url)


def test_secrets_do_not_belong_in_the_address() -> None:
    with pytest.raises(SettingsError, match="SEATWATT_STORE_USER") as caught:
        place("http://me:hidden@db/readings")
    assert "hidden" not in str(caught.value)


def test_a_token_and_a_password_are_one_too_many() -> None:
    with pytest.raises(SettingsError, match="SEATWATT_STORE_TOKEN"):
        place("http://db/readings", store_token="t", store_password="p")


@pytest.mark.parametrize(("given", "setting"), [
    ({"store_ca_file": "no/such/ca.pem"}, "SEATWATT_STORE_CA_FILE"),
    ({"store_token": "tökén"}, "SEATWATT_STORE_TOKEN"),
    ({"store_token": "two\nlines"}, "SEATWATT_STORE_TOKEN"),
    ({"store_timeout_s": "inf"}, "SEATWATT_STORE_TIMEOUT_S"),
    ({"store_timeout_s": "1e300"}, "SEATWATT_STORE_TIMEOUT_S"),
])
def test_other_settings_that_cannot_work(given: dict[str, str], setting: str) -> None:
    with pytest.raises(SettingsError, match=setting):
        place("https://db/readings", **given)


def test_a_wrong_retention_is_told_before_anything_is_written() -> None:
    with pytest.raises(SettingsError, match="SEATWATT_STORE_RETENTION: 'one year'"):
        open_writer(StoreSettings.load(store_url="http://db/x", store_retention="one year"))


def test_each_place_has_its_adapters(tmp_path: Path) -> None:
    file = StoreSettings.load(store_url=f"sqlite:///{tmp_path}/deep/r.db")
    server = StoreSettings.load(store_url="http://127.0.0.1:1/x")
    opened = [open_writer(file), open_reader(file), open_writer(server), open_reader(server)]
    assert [type(one) for one in opened] == [SqliteWriter, SqliteReader, InfluxWriter,
                                             InfluxReader]
    for one in opened:
        one.close()
