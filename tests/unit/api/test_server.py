"""The app behind a real uvicorn on a real socket."""

import socket

import httpx
import pytest

from seatwatt.api.server import listen, running
from seatwatt.contract.errors import SettingsError
from seatwatt.settings import ApiSettings
from tests.unit.api.fakes import World


def settings(**given: object) -> ApiSettings:
    return ApiSettings.load(**{"api_port": 0, "api_access": "open", **given})


def test_a_real_server_answers_and_stops(world: World) -> None:
    with running(world.app(), listen(settings())) as url:
        assert httpx.get(f"{url}/healthz").text == "ok\n"
        answer = httpx.get(f"{url}/v1/sites/small/energy",
                           params={"from": "2026-10-01", "to": "2026-10-02", "by": "tenant"})
        assert answer.json()["series"][0]["energy_wh"] == 60
        assert "server" not in answer.headers
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/healthz")


@pytest.mark.parametrize(("proxies", "name"), [("127.0.0.1", "__Host-seatwatt"),
                                               ("", "seatwatt"), ("192.0.2.1", "seatwatt")])
def test_a_proxy_is_believed_if_it_is_named(world: World, proxies: str, name: str) -> None:
    world.settings = settings(api_proxies=proxies)
    forwarded = {"x-forwarded-proto": "https", "x-forwarded-for": "192.0.2.7"}
    with running(world.app(), listen(settings())) as url:
        given = httpx.get(f"{url}/console/log-in", headers=forwarded).headers["set-cookie"]
    assert given.startswith(f"{name}=")
    assert ("Secure" in given) == (proxies == "127.0.0.1")


def test_a_port_in_use_is_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"127.0.0.1:{port} is in use"):
            listen(settings(api_port=port))


def test_open_access_is_for_loopback_alone() -> None:
    with pytest.raises(SettingsError, match="loopback addresses only"):
        listen(settings(api_host="0.0.0.0"))


def test_an_address_that_is_not_ours_is_one_line() -> None:
    with pytest.raises(SettingsError, match="cannot listen on 203"):
        listen(settings(api_host="203.0.113.1", api_access="keys"))
