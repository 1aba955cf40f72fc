"""The test servers themselves start, stop and keep their data."""

import socket

import pytest

from tests.servers import Server, accepts, free_port


def test_broker_restarts_on_its_port(broker: Server) -> None:
    assert accepts(broker.port)
    broker.kill()
    assert not accepts(broker.port)
    broker.start()
    assert accepts(broker.port)


def test_influx_restarts_on_its_port(influx: Server) -> None:
    influx.kill()
    assert not influx.ready()
    influx.start()
    assert influx.ready()


def test_a_free_port_is_for_our_server_and_for_nobody_else() -> None:
    port = free_port()
    assert not accepts(port)
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))
    with socket.create_server(("127.0.0.1", port)):
        assert accepts(port)
