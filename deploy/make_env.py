"""Make `.env` (random passwords) and `secrets/` (certificates, broker accounts) for the compose
file, once: what is there already is kept. Usage: python deploy/make_env.py [FOLDER] [HOST ...]"""

import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

PASSWORDS = ("INFLUXDB_ADMIN_PASSWORD", "INFLUXDB_PASSWORD", "INFLUXDB_READ_PASSWORD",
             "POSTGRES_PASSWORD", "GRAFANA_PASSWORD")
OPTIONS = {"ALERT_EMAIL": "facility@localhost", "ALERT_WEBHOOK_URL": "", "SMTP_ENABLED": "false",
           "SMTP_HOST": "localhost:25", "SMTP_USER": "", "SMTP_PASSWORD": "",
           "SMTP_FROM": "grafana@localhost", "GATEWAY_ACCOUNT": "gateway.workaround.plant.gw-1",
           "SEATWATT_TAG": "local"}
"""What else the compose file asks for, with its defaults."""
SERVICE_ID = 10001
"""Who the containers run as when root makes the files."""
ACCOUNTS = {"ingest": ["ingest"], "operator": ["operator"],
            "gateway.workaround.plant.gw-1": ["gateway", "workaround", "plant", "gw-1"]}


def main(folder: Path, hosts: list[str]) -> None:
    """Both, in `folder`; clients may reach the broker by any of `hosts`."""
    owner = (SERVICE_ID, SERVICE_ID) if os.geteuid() == 0 else (os.getuid(), os.getgid())
    folder.mkdir(parents=True, exist_ok=True)
    environment_file(folder / ".env", owner)
    provision(folder / "secrets", ["mosquitto", "localhost", *hosts])
    if os.geteuid() == 0:
        for path in [folder / "secrets", *(folder / "secrets").rglob("*")]:
            shutil.chown(path, *owner)
    print(f"made: {folder / '.env'} and {folder / 'secrets'}: keep both out of backups that "
          "others can read\nGrafana: user admin, password GRAFANA_PASSWORD of .env")


def environment_file(path: Path, owner: tuple[int, int]) -> None:
    """Add what is missing; nothing that is there is changed."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    known = {line.partition("=")[0].strip() for line in lines}
    wanted = {"SEATWATT_UID": str(owner[0]), "SEATWATT_GID": str(owner[1]),
              **{name: secrets.token_hex(24) for name in PASSWORDS}}
    lines += [f"{name}={value}" for name, value in wanted.items() if name not in known]
    lines += [f"# {name}={value}" for name, value in OPTIONS.items()
              if not {name, f"# {name}"} & known]
    path.touch(mode=0o600)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def provision(folder: Path, hosts: list[str]) -> None:
    """Broker and accounts, as they will lie inside the containers."""
    _seatwatt("broker", *(part for host in hosts for part in ("--host", host)),
              "--at", "/mosquitto/config", "--data", "/mosquitto/data",
              "--services-bind", "0.0.0.0", "--user", "", out=folder)
    for name, arguments in ACCOUNTS.items():
        where = name.partition(".")[0]
        _seatwatt(*arguments, "--at", f"/run/seatwatt/{where}", out=folder)


def _seatwatt(*arguments: str, out: Path) -> None:
    """Quiet: passwords stay in files."""
    done = subprocess.run([sys.executable, "-m", "seatwatt", "provision", *arguments,
                           "--out", str(out)], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr.strip() or done.stdout.strip())


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."), sys.argv[2:])
