"""The data source and the dashboards' provider, as Grafana's provisioning files."""

from pathlib import Path
from typing import Any

import yaml

from grafana.influxql import DATASOURCE_UID

HEAD = "# Written by grafana/generate.py: change that, not this.\n"


def as_yaml(document: dict[str, Any]) -> str:
    """The document with its keys in our order."""
    return HEAD + yaml.safe_dump(document, sort_keys=False, width=100, allow_unicode=True)


def source_files() -> dict[Path, str]:
    """Provisioning files beside the alerts'."""
    folder = Path("provisioning")
    return {folder / "datasources" / "influxdb.yaml": as_yaml(_datasource()),
            folder / "dashboards" / "seatwatt.yaml": as_yaml(_provider())}


def _datasource() -> dict[str, Any]:
    """InfluxQL, which InfluxDB 1, 2 and 3 all answer; for 2 and 3 the password is the token."""
    return {"apiVersion": 1, "datasources": [{
        "name": "Seatwatt readings", "uid": DATASOURCE_UID, "orgId": 1, "type": "influxdb",
        "access": "proxy", "url": "${INFLUXDB_URL}", "user": "${INFLUXDB_USER}",
        "isDefault": True, "editable": False, "version": 1,
        "jsonData": {"version": "InfluxQL", "dbName": "${INFLUXDB_DATABASE}", "httpMode": "POST",
                     "timeInterval": "1m", "maxSeries": 5000},
        "secureJsonData": {"password": "${INFLUXDB_PASSWORD}"}}]}


def _provider() -> dict[str, Any]:
    return {"apiVersion": 1, "providers": [{
        "name": "seatwatt", "orgId": 1, "type": "file", "disableDeletion": False,
        "updateIntervalSeconds": 30, "allowUiUpdates": False,
        "options": {"path": "/var/lib/grafana/dashboards", "foldersFromFilesStructure": True}}]}
