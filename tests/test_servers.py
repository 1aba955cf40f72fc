"""The test servers themselves start, stop and keep their data."""

from tests.servers import Server, accepts


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
