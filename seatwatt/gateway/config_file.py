"""Reading a gateway's configuration (YAML).

What is wrong with the gateway itself stops the start. What is wrong with one device is one line
with its name, and the others run: a site is not left in the dark for one mistyped model.
"""

from collections import Counter
from functools import partial
from pathlib import Path

from seatwatt.contract._fields import Fields, as_text, built
from seatwatt.contract.devices import Device
from seatwatt.contract.errors import InputError, SettingsError
from seatwatt.contract.sitefile import as_time_zone
from seatwatt.gateway.config import Broker, DeviceConfig, GatewayConfig
from seatwatt.gateway.config_devices import as_port, device_config, secret
from seatwatt.store.sitefiles import Places, line_of, read_yaml
from seatwatt.tls import tls_context

_GATEWAY = ("gateway", "site", "zone", "time_zone", "listen", "devices")
_BROKER = ("host", "port", "user", "password", "password_file", "ca_file",
           "cert_file", "key_file")


def load_gateway(path: Path) -> GatewayConfig:
    """The configuration in a YAML file. Raises InputError for what concerns the whole; what is
    wrong with a device stands in `problems`."""
    document, places = read_yaml(path)
    try:
        return _gateway(Fields("", document, _GATEWAY), path, places)
    except InputError as error:
        raise InputError(f"{path}:{line_of(error.where, places)}: {error.where}",
                         error.problem, error.expected) from None


def _gateway(fields: Fields, path: Path, places: Places) -> GatewayConfig:
    listen = fields.maybe("listen", lambda where, value: _broker(
        Fields(where, value, _BROKER), path.parent))
    good, problems = _devices(fields, path, places)
    return built("", partial(
        GatewayConfig, gateway=fields.need("gateway", as_text), site=fields.need("site", as_text),
        zone=fields.need("zone", as_text), time_zone=fields.need("time_zone", as_time_zone),
        listen=listen, devices=good, problems=problems))


def _broker(fields: Fields, beside: Path) -> Broker:
    files = {name: _beside(fields.get(name, as_text, ""), beside)
             for name in ("ca_file", "cert_file", "key_file")}
    broker = Broker(host=fields.need("host", as_text), port=fields.get("port", as_port, 1883),
                    user=fields.get("user", as_text, ""),
                    password=secret(fields, "password", beside), **files)
    try:
        tls_context(broker.ca_file, broker.cert_file, broker.key_file)
    except SettingsError as error:
        raise InputError("listen", str(error)) from None
    return broker


def _beside(file: str, folder: Path) -> str:
    return str(folder / file) if file else ""


def _devices(fields: Fields, path: Path, places: Places
             ) -> tuple[tuple[DeviceConfig, ...], tuple[tuple[Device, str], ...]]:
    entries = list(fields.each("devices"))
    if not entries:
        raise InputError("devices", "there is none", "at least one device")
    named = [(where, item, _name(where, item)) for where, item in entries]
    count = Counter(device for _, _, device in named)
    good: list[DeviceConfig] = []
    problems: dict[Device, str] = {}
    for where, item, device in named:
        line = f"{path}:{line_of(where, places)}"
        if count[device] > 1:
            # Neither is believed: under one name the readings of two meters would be mixed.
            problems.setdefault(device, f"{line}: is declared {count[device]} times; "
                                        "expected each device once")
            continue
        try:
            good.append(device_config(where, item, device, path.parent))
        except InputError as error:
            line = f"{path}:{line_of(error.where, places)}"
            problems[device] = f"{line}: {str(error).removeprefix(where + '.')}"
    return tuple(good), tuple(problems.items())


def _name(where: str, item: object) -> Device:
    keys = tuple(item) if isinstance(item, dict) else ()
    text = Fields(where, item, keys).need("device", as_text)
    return built(f"{where}.device", partial(Device.parse, text))
