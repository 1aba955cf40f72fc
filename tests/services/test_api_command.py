"""`seatwatt api` as a process: it starts, tells its key once, answers, and ends."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "SEATWATT_STORE_URL": f"sqlite:///{folder}/readings.db",
            "SEATWATT_LEDGER_URL": f"sqlite:///{folder}/ledger.db"}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "seatwatt", "api", *arguments]


@contextmanager
def api(folder: Path, *arguments: str) -> Iterator[list[str]]:
    """The lines it printed until it said where it answers; SIGTERM at the end."""
    with subprocess.Popen(command("--port", "0", *arguments), env=environment(folder), text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            yield told(process)
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) in (0, -signal.SIGTERM)
        finally:
            process.kill()


def told(process: "subprocess.Popen[str]") -> list[str]:
    lines: list[str] = []
    assert process.stdout is not None
    while not lines or "API:" not in lines[-1]:
        line = process.stdout.readline()
        assert line, "it ended before it answered"
        lines.append(line)
    return lines


def url(lines: list[str]) -> str:
    found = re.search(r"http://\S+", lines[-1])
    assert found
    return found[0]


def test_the_first_start_tells_a_key_that_opens_once(tmp_path: Path) -> None:
    with api(tmp_path) as lines:
        secret = lines[0].split()[-1]
        sites = f"{url(lines)}/v1/sites"
        assert httpx.get(sites).status_code == 401
        assert httpx.get(sites).headers["www-authenticate"] == "Bearer"
        assert httpx.get(sites, headers={"authorization": "Bearer wrong"}).status_code == 401
        for header in ({"authorization": f"Bearer {secret}"}, {"x-api-key": secret}):
            assert httpx.get(sites, headers=header).json() == {"sites": []}
        assert httpx.get(f"{url(lines)}/readyz").json()["ready"] is True
    with api(tmp_path) as lines:
        assert len(lines) == 1
        again = httpx.get(f"{url(lines)}/v1/sites", headers={"x-api-key": secret})
        assert again.status_code == 200


def test_open_access_needs_no_key(tmp_path: Path) -> None:
    with api(tmp_path, "--access", "open") as lines:
        assert httpx.get(f"{url(lines)}/v1/sites").json() == {"sites": []}
        assert "swagger-ui-bundle.js" in httpx.get(f"{url(lines)}/docs").text


def refused(folder: Path, *arguments: str) -> str:
    ended = subprocess.run(command(*arguments), env=environment(folder), text=True, check=False,
                           capture_output=True, timeout=120)
    assert ended.returncode == 2
    [line] = ended.stderr.splitlines()
    return line


def test_bad_settings_are_one_line_and_status_2(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert f"127.0.0.1:{port} is in use" in refused(tmp_path, "--port", port)
    assert "loopback" in refused(tmp_path, "--host", "0.0.0.0", "--access", "open")
    assert "SEATWATT_API_ACCESS" in refused(tmp_path, "--access", "everybody")
