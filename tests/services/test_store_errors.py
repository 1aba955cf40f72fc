"""What a store's failures become: on the real InfluxDB, on a stub for what it cannot be made to
say, and on files that are no store."""

import resource
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
import trustme

from seatwatt.contract.devices import Device
from seatwatt.contract.errors import (
    StoreError,
    StoreMisconfigured,
    StoreRefused,
    StoreTooLarge,
    StoreUnavailable,
)
from seatwatt.contract.quantities import quantity
from seatwatt.contract.readings import ReadingBatch, SeriesBook
from seatwatt.settings import StoreSettings
from seatwatt.store.bisect import write_bisecting
from seatwatt.store.marks import SPAN_MS, read_marks
from seatwatt.store.open import open_reader, open_writer
from seatwatt.store.ports import Reader, Writer
from tests.servers import Server, free_port, influxd

T = 1_790_000_000_000
HOUR = 3_600_000
FOR_EVER = (-(2**63), 2**63)
POWER = quantity("seat", "power")
BOOK = SeriesBook()


def address(server: Server, database: str = "readings") -> str:
    return f"http://127.0.0.1:{server.port}/{database}"


def writer(url: str, create: bool = True, **given: object) -> Writer:
    return open_writer(StoreSettings.load(store_url=url, **given), create=create)


def reader(url: str, **given: object) -> Reader:
    return open_reader(StoreSettings.load(store_url=url, **given))


def seats(names: list[str], at_ms: int = T, value: float = 1.0) -> ReadingBatch:
    batch = ReadingBatch()
    for name in names:
        batch.append(BOOK.get("workaround", Device("seat", "hall-a", name), POWER), at_ms, value)
    return batch


def stored(url: str) -> dict[str, list[int]]:
    found = reader(url).columns("workaround", POWER, *FOR_EVER)
    return {device.name: column.times_ms.tolist() for device, column in found.items()}


def ask(server: Server, statement: str, **params: str) -> None:
    """A statement of the administrator, past our own code."""
    answer = requests.post(f"http://127.0.0.1:{server.port}/query",
                           params={"q": statement, **params}, timeout=10)
    assert answer.status_code == 200, answer.text
    assert "error" not in answer.text, answer.text


@pytest.fixture
def make_influx(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts an InfluxDB with lines of configuration of its own."""
    started: list[Server] = []

    def make(data: str = "", http: str = "") -> Server:
        started.append(influxd(tmp_path / f"influxd-{len(started)}", data, http))
        started[-1].start()
        return started[-1]

    yield make
    for server in started:
        server.stop()


# The database, and who may use it.

def test_a_missing_database_is_misconfigured_for_who_may_not_make_it(influx: Server) -> None:
    url = address(influx, "nope")
    for act in (writer(url, create=False).ping, reader(url).ping, reader(url).sites,
                lambda: writer(url, create=False).write(seats(["1"])),
                lambda: reader(url).columns("workaround", POWER, T, T + 1)):
        with pytest.raises(StoreMisconfigured, match="database not found"):
            act()


def test_a_missing_database_is_made_with_its_retention_policy(influx: Server) -> None:
    url = address(influx, 'odd "name"'.replace(" ", "%20").replace('"', "%22"))
    writer(url, store_retention="400d").write(seats(["1"]))
    assert stored(url) == {"1": [T]}
    answer = requests.get(f"http://127.0.0.1:{influx.port}/query", timeout=10,
                          params={"q": 'SHOW RETENTION POLICIES ON "odd \\"name\\""'}).json()
    (policy,) = answer["results"][0]["series"][0]["values"]
    assert policy[:2] == ["readings", "9600h0m0s"]
    assert policy[-1] is True


def test_a_database_dropped_while_we_run_is_made_again(influx: Server) -> None:
    store = writer(address(influx))
    store.ping()
    ask(influx, "DROP DATABASE readings")
    store.write(seats(["1"]))
    assert stored(address(influx)) == {"1": [T]}


def large() -> ReadingBatch:
    """So much that it is sent in two halves at once."""
    batch = ReadingBatch()
    for at_ms in range(T, T + 5000):
        batch.extend(seats(["w1"], at_ms, value=at_ms - T))
    return batch


def test_a_large_batch_into_a_missing_database_is_stored_whole(influx: Server) -> None:
    url = address(influx, "large")
    with closing(writer(url)) as into:
        into.write(large())
    assert stored(url) == {"w1": list(range(T, T + 5000))}
    assert list(read_marks(reader(url), "workaround", 0, 2 * T)) == [T // SPAN_MS * SPAN_MS]


@pytest.mark.parametrize("bad", [10, 4990])
def test_a_bad_reading_in_either_half_of_a_large_batch_is_refused_alone(
        influx: Server, bad: int) -> None:
    url = address(influx, f"large-{bad}")
    batch = large()
    batch.values[bad] = float("nan")
    with closing(writer(url)) as into:
        assert [index for index, _ in write_bisecting(into, batch)] == [bad]
    assert stored(url) == {"w1": [at_ms for at_ms in range(T, T + 5000) if at_ms != T + bad]}


def test_a_database_without_a_retention_policy_gets_one(influx: Server) -> None:
    ask(influx, "CREATE DATABASE readings")
    ask(influx, "DROP RETENTION POLICY autogen ON readings")
    with pytest.raises(StoreMisconfigured, match="retention policy not found"):
        writer(address(influx), create=False).write(seats(["1"]))
    writer(address(influx)).write(seats(["1"]))
    assert stored(address(influx)) == {"1": [T]}


def test_a_retention_policy_that_is_there_stays_as_it_is(influx: Server) -> None:
    ask(influx, "CREATE DATABASE readings WITH DURATION 90000d NAME mine")
    store = writer(address(influx), store_retention="1d")
    store.ensure_database()  # type: ignore[attr-defined]
    store.write(seats(["1"], T - 1000 * 24 * HOUR))
    assert stored(address(influx)) == {"1": [T - 1000 * 24 * HOUR]}


def test_user_and_password(make_influx: Callable[..., Server]) -> None:
    server = make_influx(http="auth-enabled = true")
    ask(server, "CREATE USER admin WITH PASSWORD 'a' WITH ALL PRIVILEGES")
    admin = {"u": "admin", "p": "a"}
    for statement in ("CREATE DATABASE readings", "CREATE USER ingest WITH PASSWORD 'گھر é'",
                      "CREATE USER api WITH PASSWORD 'r'", "GRANT WRITE ON readings TO ingest",
                      "GRANT READ ON readings TO api"):
        ask(server, statement, **admin)
    url = address(server)
    writer(url, store_user="ingest", store_password="گھر é").write(seats(["1"]))
    may_read = reader(url, store_user="api", store_password="r")
    may_read.ping()
    assert list(may_read.columns("workaround", POWER, T, T + 1)) == [Device("seat", "hall-a", "1")]
    wrong: list[dict[str, object]] = [
        {}, {"store_user": "ingest", "store_password": "x"}, {"store_token": "t"},
        {"store_user": "api", "store_password": "r"}]
    for who in wrong:
        store = writer(url, **who)
        for act in (store.ping, lambda store=store: store.write(seats(["2"]))):
            with pytest.raises(StoreMisconfigured, match=r"answers 40[13]"):
                act()
    with pytest.raises(StoreMisconfigured, match="answers 401"):
        reader(url).sites()
    with pytest.raises(StoreMisconfigured):
        reader(url, store_user="ingest", store_password="گھر é").sites()
    with pytest.raises(StoreMisconfigured, match="cannot create it"):
        writer(address(server, "other"), store_user="ingest", store_password="گھر é").ping()


# Data at fault.

def test_the_series_limit_costs_no_good_reading(make_influx: Callable[..., Server]) -> None:
    server = make_influx(data="max-series-per-database = 10")
    store, url = writer(address(server)), address(server)
    old = [f"{n:03}" for n in range(10)]
    store.write(seats(old))
    batch = seats([*old, "new-1", "new-2", "new-3"], T + 1)
    with pytest.raises(StoreRefused, match="max-series-per-database limit exceeded"):
        store.write(batch)
    # The server has lost the first three good ones, and says it dropped three.
    assert [name for name, times in stored(url).items() if times == [T]] == old[:3]
    refused = write_bisecting(store, batch)
    assert [index for index, _ in refused] == [10, 11, 12]
    assert all("max-series-per-database limit exceeded" in words for _, words in refused)
    assert stored(url) == {name: [T, T + 1] for name in old}


def test_the_limit_of_values_per_tag_costs_no_good_reading(make_influx: Callable[..., Server]
                                                           ) -> None:
    server = make_influx(data="max-values-per-tag = 4")
    store, url = writer(address(server)), address(server)
    store.write(seats(["1", "2", "3", "4"]))
    batch = seats(["1", "x", "2", "3", "y", "4"], T + 1)
    assert [index for index, _ in write_bisecting(store, batch)] == [1, 4]
    assert stored(url) == {name: [T, T + 1] for name in ("1", "2", "3", "4")}


def test_a_field_of_another_type_is_refused_alone(influx: Server) -> None:
    store, url = writer(address(influx)), address(influx)
    store.ping()
    foreign = requests.post(f"http://127.0.0.1:{influx.port}/write", timeout=10, params={
        "db": "readings", "precision": "ms"},
        data=f"seat,device=9,site=other,zone=z occupied=1i {T}")
    assert foreign.status_code == 204
    batch = seats(["1"])
    batch.append(BOOK.get("workaround", Device("seat", "hall-a", "1"),
                          quantity("seat", "occupied")), T, 1.0)
    batch.extend(seats(["2"]))
    ((index, words),) = write_bisecting(store, batch)
    assert index == 1
    assert "field type conflict" in words
    assert "already exists as type integer" in words
    assert stored(url) == {"1": [T], "2": [T]}


def test_points_beyond_retention_are_refused_alone(influx: Server) -> None:
    store, url = writer(address(influx), store_retention="90000d"), address(influx)
    ancient = T - 100_000 * 24 * HOUR
    batch = seats(["1"])
    batch.extend(seats(["1"], ancient))
    batch.extend(seats(["1"], T + 1))
    assert [(index, "retention" in words) for index, words in write_bisecting(store, batch)
            ] == [(1, True)]
    assert stored(url) == {"1": [T, T + 1]}


def test_a_batch_too_large_is_halved(make_influx: Callable[..., Server]) -> None:
    server = make_influx(http="max-body-size = 2000")
    store, url = writer(address(server)), address(server)
    names = [f"{n:03}" for n in range(200)]
    with pytest.raises(StoreTooLarge, match="413"):
        store.write(seats(names))
    assert write_bisecting(store, seats(names)) == []
    assert stored(url) == {name: [T] for name in names}


def test_compressed_lines(influx: Server) -> None:
    names = [f"{n:03}" for n in range(200)]
    store = writer(address(influx), store_gzip=True)
    store.ping()
    store.write(seats(names))
    assert stored(address(influx)) == {name: [T] for name in names}


# A server that is down, slow or no InfluxDB.

def test_204_survives_kill_9(influx: Server) -> None:
    store, url = writer(address(influx)), address(influx)
    names = [f"{n:03}" for n in range(100)]
    for n in range(50):
        store.write(seats(names, T + n, float(n)))
    influx.kill()
    with pytest.raises(StoreUnavailable):
        store.write(seats(names, T + 50))
    influx.start()
    assert stored(url) == {name: [T + n for n in range(50)] for name in names}
    store.write(seats(names, T + 50))
    assert stored(url) == {name: [T + n for n in range(51)] for name in names}


def test_nobody_listens() -> None:
    url = f"http://127.0.0.1:{free_port()}/readings"
    for act in (writer(url).ping, reader(url).ping, lambda: writer(url).write(seats(["1"])),
                lambda: reader(url).last("workaround")):
        with pytest.raises(StoreUnavailable) as caught:
            act()
        assert str(caught.value) == f"{url}: [Errno 111] Connection refused"


def test_a_server_that_hangs_is_given_up(influx: Server) -> None:
    store = writer(address(influx), store_timeout_s=0.3)
    store.ping()
    influx.freeze()
    try:
        with pytest.raises(StoreUnavailable, match=r"readings: Read timed out"):
            store.write(seats(["1"]))
    finally:
        influx.thaw()
    store.write(seats(["1"]))
    assert stored(address(influx)) == {"1": [T]}


def test_a_socket_that_never_answers_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/readings"
        for act in (writer(url, store_timeout_s=0.2).ping, reader(url, store_timeout_s=0.2).ping):
            with pytest.raises(StoreUnavailable, match="timed out"):
                act()


class QuietServer(ThreadingHTTPServer):
    """One that does not print what went wrong with a client."""

    def handle_error(self, request: object, client_address: object) -> None:
        """The client's side of it is what the tests look at."""


@contextmanager
def stub(status: int, body: bytes = b"", headers: dict[str, str] | None = None,
         tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server that answers everything the same."""
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response_only(status)
            for key, value in (headers or {}).items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with QuietServer(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http{'s' * (tls is not None)}://127.0.0.1:{server.server_port}/readings"
        finally:
            server.shutdown()
            thread.join()


V3_PARTIAL = (b'{"error":"partial write of line protocol occurred","data":[{"original_line":"x",'
              b'"line_number":2,"error_message":"invalid column type for column \'power_w\'"}]}')


@pytest.mark.parametrize(("status", "body", "kind", "words"), [
    (400, b'{"error":"partial write: points beyond retention policy dropped=1"}', StoreRefused,
     "partial write: points beyond retention policy dropped=1"),
    (422, b'{"code":"unprocessable entity","message":"failure writing points: field type '
          b'conflict"}', StoreRefused, "failure writing points: field type conflict"),
    (400, V3_PARTIAL, StoreRefused,
     "partial write of line protocol occurred: invalid column type for column 'power_w'"),
    (401, b'{"code":"unauthorized","message":"unauthorized access"}', StoreMisconfigured,
     "unauthorized access"),
    (403, b'{"error":"forbidden"}', StoreMisconfigured, "forbidden"),
    (404, b'{"code":"not found","message":"no dbrp mapping found"}', StoreMisconfigured, "dbrp"),
    (405, b"<html>Method\nNot Allowed</html>", StoreMisconfigured, "Method Not Allowed"),
    (413, b'{"error":"Request Entity Too Large"}', StoreTooLarge, "Too Large"),
    (500, b'{"error":"timeout"}', StoreUnavailable, "timeout"),
    (500, b"", StoreUnavailable, "Internal Server Error"),
    (502, b"[1, 2]", StoreUnavailable, "502"),
    (503, b'{"error":["odd"]}', StoreUnavailable, "odd"),
    (200, b"welcome", StoreMisconfigured, "expected an InfluxDB"),
    (301, b"", StoreMisconfigured, "301"),
])
def test_what_other_generations_and_proxies_answer(
        status: int, body: bytes, kind: type[StoreError], words: str) -> None:
    with stub(status, body, {"Location": "http://127.0.0.1:1/"}) as url:
        with pytest.raises(kind) as caught:
            writer(url, create=False).write(seats(["1"]))
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_missing_database_that_cannot_be_made_is_misconfigured() -> None:
    with stub(404, b'{"message":"no dbrp mapping found"}') as url, \
            pytest.raises(StoreMisconfigured, match="no dbrp mapping found"):
        writer(url).write(seats(["1"]))


@pytest.mark.parametrize(("wish", "expected"), [
    ("30", 30.0), ("0", 0.0), ("soon", None), ("-1", None),
    ("Sun, 22 Nov 2026 10:00:30 GMT", 30.0), ("Sun, 22 Nov 2026 09:00:00 GMT", 0.0),
])
@pytest.mark.parametrize("status", [429, 503])
def test_a_store_that_asks_for_patience_says_how_long(status: int, wish: str,
                                                      expected: float | None) -> None:
    headers = {"Retry-After": wish, "Date": "Sun, 22 Nov 2026 10:00:00 GMT"}
    with stub(status, b'{"error":"rate limited"}', headers) as url, \
            pytest.raises(StoreUnavailable, match="rate limited") as caught:
        writer(url).write(seats(["1"]))
    assert caught.value.retry_after_s == expected


def test_an_empty_write_that_is_judged_proves_that_the_store_is_there() -> None:
    with stub(400, b'{"code":"invalid","message":"writing requires points"}') as url:
        writer(url).ping()


def test_a_token_is_sent_as_influxdb_2_and_3_expect_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/readings"
        heard: list[bytes] = []

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                heard.append(connection.recv(65536))
                connection.sendall(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        writer(url, store_token="secret").ping()
        thread.join()
    assert b"\r\nAuthorization: Token secret\r\n" in heard[0]
    assert heard[0].startswith(b"POST /write?db=readings&precision=ms HTTP/1.1\r\n")


def test_a_server_is_known_by_its_certificate(tmp_path: Path) -> None:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "foreign.pem"))
    with stub(204, tls=context) as url:
        writer(url, store_ca_file=str(tmp_path / "ca.pem")).write(seats(["1"]))
        for ca_file in ("", str(tmp_path / "foreign.pem")):
            with pytest.raises(StoreMisconfigured, match="certificate verify failed"):
                writer(url, store_ca_file=ca_file).write(seats(["1"]))


def test_an_answer_that_breaks_off_is_no_answer() -> None:
    with stub(200, b"\x81\xa7results\x92", {"Content-Type": "application/x-msgpack"}) as url, \
            pytest.raises(StoreUnavailable, match="cut short"):
        reader(url).columns("workaround", POWER, T, T + 1)


def test_answers_in_json_are_understood() -> None:
    body = (b'{"results":[{"statement_id":0,"series":[{"name":"seat","tags":{"zone":"hall-a",'
            b'"device":"1"},"columns":["time","power_w"],"values":[[1790000000000,5]]}]}]}\n')
    seat = Device("seat", "hall-a", "1")
    with stub(200, body, {"Content-Type": "application/json"}) as url:
        found = reader(url).columns("workaround", POWER, T, T + 1, [seat])
    assert found[seat].values.tolist() == [5.0]


def test_series_of_another_program_are_left_alone(influx: Server) -> None:
    store, url = writer(address(influx)), address(influx)
    store.write(seats(["1"]))
    for line in (f"seat,device=Not\\ Ours,site=workaround,zone=x power_w=1 {T}",
                 f"seat,site=workaround power_w=2 {T}"):
        answer = requests.post(f"http://127.0.0.1:{influx.port}/write", data=line, timeout=10,
                               params={"db": "readings", "precision": "ms"})
        assert answer.status_code == 204
    assert stored(url) == {"1": [T]}
    assert reader(url).devices("workaround") == [Device("seat", "hall-a", "1")]
    assert len(reader(url).last("workaround")) == 1


# The embedded file.

def test_a_file_another_process_holds_is_unavailable(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/r.db"
    store = writer(url, store_timeout_s=0.1)
    store.write(seats(["1"]))
    holder = sqlite3.connect(tmp_path / "r.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        store.write(seats(["2"]))
    with pytest.raises(StoreUnavailable, match="locked"):
        store.ping()
    assert stored(url) == {"1": [T]}
    holder.execute("ROLLBACK")
    holder.close()
    store.write(seats(["2"]))
    assert stored(url) == {"1": [T], "2": [T]}


FILL_DISK = f"""
import resource, sys
sys.path.insert(0, {str(Path(__file__).resolve().parents[2])!r})
from seatwatt.contract.errors import StoreUnavailable
from tests.services.test_store_errors import T, seats, stored, writer
store = writer(sys.argv[1])
names = [f"{{n:03}}" for n in range(200)]
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
written = 0
try:
    for n in range(10_000):
        store.write(seats(names, T + n))
        written += 1
except StoreUnavailable as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
assert 0 < written < 10_000
assert stored(sys.argv[1]) == {{name: [T + n for n in range(written)] for name in names}}
store.write(seats(names, T + written))
assert stored(sys.argv[1]) == {{name: [T + n for n in range(written + 1)] for name in names}}
print("recovered")
"""


def test_a_full_disk_is_unavailable_and_passes(tmp_path: Path) -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)
    done = subprocess.run([sys.executable, "-c", FILL_DISK, f"sqlite:///{tmp_path}/r.db"],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "recovered"


WRITE_ON = f"""
import sys
sys.path.insert(0, {str(Path(__file__).resolve().parents[2])!r})
from tests.services.test_store_errors import T, seats, writer
store = writer(sys.argv[1])
for n in range(10**9):
    store.write(seats(["1", "2"], T + n))
    print(n, flush=True)
"""


def test_a_committed_write_survives_kill_9(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/r.db"
    with subprocess.Popen([sys.executable, "-c", WRITE_ON, url], stdout=subprocess.PIPE
                          ) as process:
        assert process.stdout is not None
        for _ in range(200):
            process.stdout.readline()
        process.kill()
        told = 199 + len(process.stdout.read().splitlines())
    kept = stored(url)
    assert list(kept) == ["1", "2"]
    for times in kept.values():
        assert len(times) >= told + 1
        assert times == [T + n for n in range(len(times))]


def test_a_file_that_is_no_store_is_misconfigured(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("This is a letter, and a long one at that.\n" * 100)
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("CREATE TABLE declarations (id INTEGER)")
    other.close()
    (tmp_path / "folder.db").mkdir()
    newer = sqlite3.connect(tmp_path / "newer.db")
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    for name, words in [("text.db", "not a database"), ("other.db", "not a store of readings"),
                        ("folder.db", "unable to open"), ("newer.db", "99"),
                        ("text.db/below/r.db", "Not a directory")]:
        for act in (writer, reader):
            with pytest.raises(StoreMisconfigured, match=words) as caught:
                act(f"sqlite:///{tmp_path}/{name}")
            assert name in str(caught.value)


def test_a_damaged_file_is_misconfigured(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/r.db"
    store = writer(url)
    for n in range(20):
        store.write(seats([f"{m:03}" for m in range(200)], T + n))
    store.close()
    size = (tmp_path / "r.db").stat().st_size
    with (tmp_path / "r.db").open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * (size - 8192))
    with pytest.raises(StoreMisconfigured, match="malformed"):
        stored(url)


def test_many_processes_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    script = ("import sys; from seatwatt.settings import StoreSettings; "
              "from seatwatt.store.open import open_writer; "
              "open_writer(StoreSettings(store_url=sys.argv[1])).ping()")
    started = [subprocess.Popen([sys.executable, "-c", script, f"sqlite:///{tmp_path}/r.db"],
                                stderr=subprocess.PIPE, text=True) for _ in range(6)]
    assert [process.communicate(timeout=120)[1] for process in started] == [""] * 6
    assert [process.returncode for process in started] == [0] * 6


def test_a_closed_reader_says_so(tmp_path: Path) -> None:
    closed = reader(f"sqlite:///{tmp_path}/r.db")
    closed.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        closed.ping()
