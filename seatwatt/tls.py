"""TLS towards the broker, the same for everyone who connects to it."""

import ssl

from seatwatt.contract.errors import SettingsError
from seatwatt.settings import BrokerSettings


def broker_tls(settings: BrokerSettings) -> ssl.SSLContext | None:
    """How to trust the broker and show who we are; None where no TLS is set up.

    SettingsError, naming the setting, for a file that is missing or of another kind.
    """
    ca, certificate, key = (settings.mqtt_ca_file, settings.mqtt_cert_file,
                            settings.mqtt_key_file)
    if bool(certificate) != bool(key):
        raise SettingsError("SEATWATT_MQTT_CERT_FILE and SEATWATT_MQTT_KEY_FILE: one is missing; "
                            "expected both or neither")
    if not ca:
        if certificate:
            raise SettingsError("SEATWATT_MQTT_CERT_FILE: given without SEATWATT_MQTT_CA_FILE, "
                                "but without TLS nobody sees it; expected both")
        return None
    try:
        context = ssl.create_default_context(cafile=ca)
    except OSError as error:
        raise SettingsError(f"SEATWATT_MQTT_CA_FILE: cannot use {ca}: {_reason(error)}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate:
        try:
            context.load_cert_chain(certificate, key, password=_no_password)
        except (OSError, ValueError) as error:
            raise SettingsError(f"SEATWATT_MQTT_CERT_FILE: cannot use {certificate} with {key}: "
                                f"{_reason(error)}") from None
    return context


def _no_password() -> str:
    # Without this OpenSSL would ask on the terminal and wait.
    raise ValueError("the key is encrypted; expected one that is not")


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, ssl.SSLError):
        return f"it is no certificate or key in PEM, or they do not match ({error.reason})"
    return getattr(error, "strerror", None) or str(error)
