"""Which store a setting means."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from seatwatt.contract.errors import SettingsError
from seatwatt.settings import StoreSettings
from seatwatt.store.influx import InfluxWriter
from seatwatt.store.influx_http import InfluxAddress
from seatwatt.store.influx_reader import InfluxReader
from seatwatt.store.ports import JobWriter, Reader
from seatwatt.store.sqlite import SqliteWriter
from seatwatt.store.sqlite_reader import SqliteReader

_EXPECTED = "sqlite:///FILE or http(s)://HOST:PORT/DATABASE"
_PORT = 8086


def open_writer(settings: StoreSettings, *, create: bool = True) -> JobWriter:
    """The writer `settings` name. With `create` a missing database is made when first met.

    Nothing is asked of an InfluxDB yet: a server that is down shows when writing.
    """
    where = store_place(settings)
    if isinstance(where, Path):
        return SqliteWriter(where, timeout_s=settings.store_timeout_s)
    return InfluxWriter(where, create=create, retention=settings.store_retention)


def open_reader(settings: StoreSettings) -> Reader:
    """The reader `settings` name."""
    where = store_place(settings)
    if isinstance(where, Path):
        return SqliteReader(where, timeout_s=settings.store_timeout_s)
    return InfluxReader(where)


def store_place(settings: StoreSettings) -> Path | InfluxAddress:
    """The file or the server; SettingsError in one line for anything else."""
    scheme, _, rest = settings.store_url.partition("://")
    if scheme == "sqlite":
        return _file(settings.store_url, rest)
    if scheme in ("http", "https"):
        return _address(settings)
    raise _wrong(settings.store_url, "it is no store")


def _file(url: str, rest: str) -> Path:
    # As SQLAlchemy writes it: three slashes a relative path, four an absolute one.
    if not rest.startswith("/") or rest.strip("/") == "" or rest.endswith("/"):
        raise _wrong(url, "it names no file")
    return Path(unquote(rest[1:]))


def _address(settings: StoreSettings) -> InfluxAddress:
    url = settings.store_url
    try:
        parts = urlsplit(url)
        port = parts.port or _PORT
        (parts.hostname or "").encode("idna")
    except ValueError as error:
        raise _wrong(url, str(error)) from None
    database = unquote(parts.path.strip("/"))
    if not parts.hostname or not database or "/" in database or parts.query or parts.fragment:
        raise _wrong(url, "host or database is missing, or there is more than these")
    if parts.username or parts.password:
        raise SettingsError("SEATWATT_STORE_URL: no user or password in the address; expected "
                            "them in SEATWATT_STORE_USER and SEATWATT_STORE_PASSWORD_FILE")
    password, token = (secret.get_secret_value()
                       for secret in (settings.store_password, settings.store_token))
    if token and (settings.store_user or password):
        raise SettingsError("SEATWATT_STORE_TOKEN: given together with a user or password; "
                            "expected one or the other")
    if not (token.isascii() and token.isprintable()):
        raise SettingsError("SEATWATT_STORE_TOKEN: it holds other characters than printable ASCII")
    if settings.store_ca_file and not Path(settings.store_ca_file).is_file():
        raise SettingsError(f"SEATWATT_STORE_CA_FILE: {settings.store_ca_file} is not a file")
    return InfluxAddress(
        host=parts.hostname, port=port, database=database, tls=parts.scheme == "https",
        user=settings.store_user, password=password, token=token,
        timeout_s=settings.store_timeout_s, ca_file=settings.store_ca_file,
        gzip=settings.store_gzip)


def _wrong(url: str, problem: str) -> SettingsError:
    return SettingsError(f"SEATWATT_STORE_URL: {url!r}: {problem}; expected {_EXPECTED}")
