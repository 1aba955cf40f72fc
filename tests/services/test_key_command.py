"""`seatwatt key`: a key made at the ledger opens the API until it is revoked."""

from pathlib import Path

import pytest

from seatwatt.api.access import Role
from seatwatt.api.keys import LedgerKeys
from seatwatt.api.problems import Problem
from seatwatt.cli.key import add, list_, revoke
from seatwatt.contract.errors import InputError
from seatwatt.ledger.open import open_engine
from seatwatt.ledger.sites import save_site
from seatwatt.settings import ApiSettings, LedgerSettings
from tests.unit.api.fakes import small_site


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LedgerKeys:
    monkeypatch.setenv("SEATWATT_LEDGER_URL", f"sqlite:///{tmp_path}/ledger.db")
    engine = open_engine(LedgerSettings.load())
    save_site(engine, small_site(), "test", 1)
    clock = iter(range(2_000_000_000_000, 3_000_000_000_000, 10_000))
    return LedgerKeys(engine, lambda: next(clock), ApiSettings())


def test_a_key_is_made_listed_and_revoked(keys: LedgerKeys,
                                          capsys: pytest.CaptureFixture[str]) -> None:
    add("Alpha", Role.TENANT, "small", "alpha", 0)
    secret = capsys.readouterr().out.strip()
    caller = keys.caller(secret)
    assert (caller.role, caller.site, caller.tenant) == (Role.TENANT, "small", "alpha")
    list_()
    listed = capsys.readouterr().out
    assert caller.key_id in listed
    assert secret not in listed
    revoke(caller.key_id)
    with pytest.raises(Problem, match="revoked"):
        keys.caller(secret)


def test_a_key_with_an_end_ends(keys: LedgerKeys, capsys: pytest.CaptureFixture[str]) -> None:
    add("short", Role.BILLING, "", "", 1)
    with pytest.raises(Problem, match="expired"):
        keys.caller(capsys.readouterr().out.strip())


@pytest.mark.parametrize(("role", "site", "tenant"), [
    (Role.TENANT, "", ""), (Role.TENANT, "small", ""), (Role.TENANT, "", "alpha"),
    (Role.BILLING, "small", "alpha"), (Role.TENANT, "small", "nobody"),
    (Role.BILLING, "nowhere", "")])
def test_a_key_that_makes_no_sense_is_refused(keys: LedgerKeys, role: Role, site: str,
                                              tenant: str) -> None:
    with pytest.raises(InputError):
        add("x", role, site, tenant, 0)
