"""Settings of the services, from the environment (`SEATWATT_...`).

A name ending in `_FILE` beside a secret gives the file that holds it. `.env.example` lists every
setting; a test holds the two together. A missing or wrong one is a SettingsError in one line.
"""

import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from seatwatt.contract.errors import SettingsError

PREFIX = "SEATWATT_"


def _not_empty(path: Any) -> Any:
    """An empty one would be the folder we happen to be started in."""
    if path == "":
        raise ValueError("it is empty")
    return path


def _name_of_a_host(host: str) -> str:
    try:
        host.encode("idna")
    except UnicodeError:
        raise ValueError(f"{host!r} is no name that a host can have") from None
    return host


Host = Annotated[str, AfterValidator(_name_of_a_host)]
"""A name or an address."""

Place = Annotated[Path, BeforeValidator(_not_empty)]
"""A file or folder."""


class Settings(BaseSettings):
    """What all services share."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True,
                                      allow_inf_nan=False)

    @classmethod
    def load(cls, **given: Any) -> Self:
        """From the environment; `given` (command line) wins. SettingsError in one line."""
        try:
            return cls(**_secrets_from_files(cls), **given)
        except ValidationError as error:
            first = error.errors()[0]
            name = PREFIX + "_".join(str(part) for part in first["loc"]).upper()
            raise SettingsError(f"{name}: {first['msg'].removeprefix('Value error, ')}") from None


def _secrets_from_files(cls: type[BaseSettings]) -> dict[str, str]:
    secrets = {}
    for name in cls.model_fields:
        path = os.environ.get(f"{PREFIX}{name.upper()}_FILE")
        if path:
            try:
                secrets[name] = Path(path).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise SettingsError(
                    f"{PREFIX}{name.upper()}_FILE: cannot read {path}: {error.strerror}") from None
    return secrets


class StoreSettings(Settings):
    """Where readings rest."""

    store_url: str = Field("sqlite:///var/readings.db",
                           description="sqlite:///FILE, or http(s)://HOST:PORT/DATABASE (InfluxDB)")
    store_user: str = Field("", description="InfluxDB 1.x user")
    store_password: SecretStr = Field(SecretStr(""), description="InfluxDB 1.x password")
    store_token: SecretStr = Field(SecretStr(""), description="InfluxDB 2.x or 3 token")
    store_timeout_s: float = Field(10.0, gt=0, le=3600,
                                   description="longest wait for one store request")
    store_retention: str = Field("", description="how long a database made by us keeps readings, "
                                                 "such as 400d; empty: for ever (InfluxDB 1.x)")
    store_ca_file: str = Field("", description="certificate authority of an https store")
    store_gzip: bool = Field(False, description="compress what goes to InfluxDB and what it "
                                                "answers; worth it over a network, not on one "
                                                "machine")


class LedgerSettings(Settings):
    """Where declarations, statements and the quarantine rest."""

    ledger_url: str = Field("sqlite:///var/ledger.db",
                            description="SQLAlchemy address: sqlite:///FILE or postgresql+psycopg://...")


class BrokerSettings(Settings):
    """The MQTT broker."""

    mqtt_host: Host = Field("127.0.0.1", min_length=1, description="MQTT broker host")
    mqtt_port: int = Field(1883, ge=1, le=65535, description="MQTT broker port")
    mqtt_user: str = Field("", description="MQTT user name; empty: anonymous")
    mqtt_password: SecretStr = Field(SecretStr(""), description="MQTT password")
    mqtt_ca_file: str = Field("", description="certificate authority; set: TLS is used")
    mqtt_cert_file: str = Field("", description="our own certificate, where the broker asks for it")
    mqtt_key_file: str = Field("", description="its private key, not encrypted")


class IngestSettings(BrokerSettings):
    """The service that takes readings from the broker into the store."""

    ingest_client_id: str = Field(
        "seatwatt-ingest", pattern=r"^[\w.-]{1,60}$",
        description="MQTT client id, the same at every start: letters, digits, . _ -; worker N "
                    "appends -N")
    ingest_workers: int = Field(
        1, ge=1, le=64, description="processes that share the load (shared subscription above 1)")
    ingest_worker: int = Field(1, ge=1, description="which of the workers this process is")
    ingest_share: str = Field(
        "ingest", pattern="^[^/+#]+$", description="name of the shared subscription of the workers")
    ingest_filters: str = Field(
        "seatwatt/#", min_length=1, description="MQTT topic filters, separated by commas")
    ingest_state: Place = Field(
        Path("var/ingest"), description="folder of the journal and of what is subscribed")
    ingest_batch_readings: int = Field(
        20_000, ge=1, description="readings that make a batch go to the store at once")
    ingest_linger_s: float = Field(
        0.25, gt=0, le=60, description="longest wait of a reading for its batch to fill")
    ingest_queue_messages: int = Field(
        20_000, ge=1, description="messages waiting to be decoded, after which reading pauses")
    ingest_queue_bytes: int = Field(
        4 << 20, ge=1, description="bytes waiting to be decoded, after which reading pauses")
    ingest_payload_bytes: int = Field(
        1_000_000, ge=1, le=1_000_000,
        description="largest payload that is decoded; beyond is T10")
    ingest_journal_bytes: int = Field(
        1 << 30, ge=1, description="bound of the journal; at it nothing more is acknowledged")
    ingest_journal_alarm_pct: float = Field(
        80.0, gt=0, le=100, description="fill of the journal from which it is an alarm")
    ingest_disk_reserve_bytes: int = Field(
        256 << 20, ge=0, description="free disk space that the journal leaves alone")
    ingest_watchdog_s: float = Field(
        60.0, gt=0, description="age of an acknowledgement forgotten, after which we reconnect")
    ingest_takeovers: int = Field(
        10, ge=1, description="connections lost within a minute that mean two clients of one id")
    ingest_keepalive_s: int = Field(30, ge=5, le=65535, description="MQTT keep-alive")
    ingest_metrics_host: str = Field("127.0.0.1", description="address of /metrics and /readyz")
    ingest_metrics_port: int = Field(
        0, ge=0, le=65535,
        description="port of /metrics and /readyz (of worker N, when several: port + N); 0: none")
    ingest_pipeline_s: float = Field(
        10.0, gt=0, description="seconds between points of the pipeline measurement")


class GatewaySettings(BrokerSettings):
    """The service at a site that reads devices; they themselves are declared in its YAML file."""

    gateway_spool: Place = Field(
        Path("var/gateway/spool.db"), description="file of the packs that wait for a receipt")
    gateway_spool_bytes: int = Field(
        512 << 20, ge=1 << 20, description="bound of the spool; at it the oldest gauges are given "
                                           "up first, registers last")
    gateway_spool_days: float = Field(
        35.0, gt=0, description="age at which what waits in the spool is given up")
    gateway_disk_reserve_bytes: int = Field(
        128 << 20, ge=0, description="free disk space that the spool leaves alone")
    gateway_commit_s: float = Field(
        0.5, gt=0, le=1.0, description="longest wait of a reading for the spool's next commit")
    gateway_receipts: bool = Field(
        True, description="a pack leaves the spool only on ingest's receipt; false: on the "
                          "broker's word alone, so what a broker loses when killed is lost")
    gateway_receipt_s: float = Field(
        30.0, gt=0, description="wait for a receipt, after which a pack is sent again")
    gateway_window_packs: int = Field(
        200, ge=4, le=10_000, description="packs on their way at a time")
    gateway_backlog_per_s: float = Field(
        10_000.0, gt=0, description="readings a second that leave the backlog after an outage")
    gateway_backlog_delay_s: float = Field(
        10.0, ge=0, description="the backlog begins by chance within so long of a connection")
    gateway_keepalive_s: int = Field(30, ge=5, le=65535, description="MQTT keep-alive")
    gateway_silent_s: float = Field(
        300.0, gt=0, description="a device without a reading for so long has stopped")


class ApiSettings(Settings):
    """The API and its scheduled jobs."""

    api_host: str = Field("127.0.0.1", description="address the API listens on")
    api_port: int = Field(8000, ge=0, le=65535, description="port the API listens on; 0: any")
    api_access: Literal["keys", "open"] = Field(
        "keys", description="keys: every request needs an API key; open: everybody is the "
                            "operator, allowed on loopback addresses only")
    api_jobs: bool = Field(True, description="whether this process takes part in scheduled jobs")
    api_age_s: float = Field(
        5.0, ge=0, description="how long a settlement may be shown again; a slow one longer, "
                               "twenty times what it took")
    api_rate_per_s: float = Field(
        100.0, gt=0, description="requests a second that one API key or user may make in the long "
                                 "run")
    api_rate_burst: int = Field(
        400, ge=1, description="requests that one API key or user may make at once")
    api_failed_burst: int = Field(
        10, ge=1, description="wrong keys, or failed log-ins, that one address may try at once")
    api_failed_per_min: float = Field(
        2.0, gt=0, description="wrong keys, or failed log-ins, a minute that one address may try "
                               "in the long run")
    api_session_idle_min: int = Field(
        60, ge=1, description="a log-in that is not used for so long is over")
    api_session_hours: int = Field(
        12, ge=1, description="a log-in is over after so long, however busy it is")
    api_cookie_secure: Literal["auto", "always", "never"] = Field(
        "auto", description="whether the log-in's cookie is for https alone; auto: where the "
                            "request came by https, to us or to a proxy of SEATWATT_API_PROXIES")
    api_proxies: str = Field(
        "", description="addresses of proxies, separated by commas, whose X-Forwarded-For and "
                        "X-Forwarded-Proto are believed")
    occupancy_days: int = Field(
        90, ge=1, description="how many days who sat where is kept; counts by zone stay")
    kept_days: int = Field(
        130, ge=3, description="how many days of registers the ledger keeps, so that they need not "
                               "be read from the store again; a month and three before it")
    silent_after_s: float = Field(
        300.0, gt=0, description="a device not heard of for so long is silent")
