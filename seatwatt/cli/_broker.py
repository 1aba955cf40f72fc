"""Options that name the broker, shared by the commands that talk to one."""

from typing import Annotated

import typer

from seatwatt.settings import BrokerSettings

HostOption = Annotated[str, typer.Option(help="MQTT broker; SEATWATT_MQTT_HOST by default")]
PortOption = Annotated[int, typer.Option(min=0, max=65535, help="its port; SEATWATT_MQTT_PORT")]


def broker_settings(host: str, port: int) -> BrokerSettings:
    """The environment's broker, but for what the command line says."""
    given: dict[str, str | int] = {}
    if host:
        given["mqtt_host"] = host
    if port:
        given["mqtt_port"] = port
    return BrokerSettings.load(**given)
