"""Settings of the services, from the environment (`SEATWATT_...`).

A name ending in `_FILE` beside a secret gives the file that holds it. `.env.example` lists every
setting; a test holds the two together. A missing or wrong one is a SettingsError in one line.
"""

import os
from pathlib import Path
from typing import Any, Self

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from seatwatt.contract.errors import SettingsError

PREFIX = "SEATWATT_"


class Settings(BaseSettings):
    """What all services share."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    @classmethod
    def load(cls, **given: Any) -> Self:
        """From the environment; `given` (command line) wins. SettingsError in one line."""
        try:
            return cls(**_secrets_from_files(cls), **given)
        except ValidationError as error:
            first = error.errors()[0]
            name = PREFIX + "_".join(str(part) for part in first["loc"]).upper()
            raise SettingsError(f"{name}: {first['msg']}") from None


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
    store_timeout_s: float = Field(10.0, gt=0, description="longest wait for one store request")


class LedgerSettings(Settings):
    """Where declarations, statements and the quarantine rest."""

    ledger_url: str = Field("sqlite:///var/ledger.db",
                            description="SQLAlchemy address: sqlite:///FILE or postgresql+psycopg://...")


class BrokerSettings(Settings):
    """The MQTT broker."""

    mqtt_host: str = Field("127.0.0.1", description="MQTT broker host")
    mqtt_port: int = Field(1883, ge=1, le=65535, description="MQTT broker port")
    mqtt_user: str = Field("", description="MQTT user name; empty: anonymous")
    mqtt_password: SecretStr = Field(SecretStr(""), description="MQTT password")
    mqtt_ca_file: str = Field("", description="certificate authority; set: TLS is used")
