"""TLS towards the broker, the same for everyone who connects to it."""

import ssl

from seatwatt.contract.errors import SettingsError
from seatwatt.settings import PREFIX, BrokerSettings

_FILES = ("ca_file", "cert_file", "key_file")


def broker_tls(settings: BrokerSettings) -> ssl.SSLContext | None:
    """How to trust the broker and show who we are; None where no TLS is set up.

    SettingsError, naming the setting, for a file that is missing or of another kind.
    """
    ca, certificate, key = (f"{PREFIX}MQTT_{name.upper()}" for name in _FILES)
    return tls_context(settings.mqtt_ca_file, settings.mqtt_cert_file, settings.mqtt_key_file,
                       (ca, certificate, key))


def tls_context(ca: str, certificate: str, key: str, names: tuple[str, str, str] = _FILES
                ) -> ssl.SSLContext | None:
    """From the names of three files, empty where there is none; None without `ca`.

    SettingsError, with one of `names`, for a file that is missing or of another kind.
    """
    of_ca, of_certificate, of_key = names
    if bool(certificate) != bool(key):
        raise SettingsError(f"{of_certificate} and {of_key}: one is missing; "
                            "expected both or neither")
    if not ca:
        if certificate:
            raise SettingsError(f"{of_certificate}: given without {of_ca}, "
                                "but without TLS nobody sees it; expected both")
        return None
    try:
        context = ssl.create_default_context(cafile=ca)
    except OSError as error:
        raise SettingsError(f"{of_ca}: cannot use {ca}: {_reason(error)}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate:
        try:
            context.load_cert_chain(certificate, key, password=_no_password)
        except (OSError, ValueError) as error:
            raise SettingsError(f"{of_certificate}: cannot use {certificate} with {key}: "
                                f"{_reason(error)}") from None
    return context


def _no_password() -> str:
    # Without this OpenSSL would ask on the terminal and wait.
    raise ValueError("the key is encrypted; expected one that is not")


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, ssl.SSLError):
        return f"it is no certificate or key in PEM, or they do not match ({error.reason})"
    return getattr(error, "strerror", None) or str(error)
