"""The faults, each with how it begins and how it ends."""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.proxy import Proxy, Weather
from tests.chaos.sender import Sender
from tests.servers import Server
from tests.services.disk_kit import SmallDisk
from tests.services.ingest_kit import IngestProcess


@dataclass
class Scene:
    """Everything that can be broken."""

    broker: Server
    influx: Server
    ingest: IngestProcess
    to_broker: Proxy
    to_influx: Proxy
    sender: Sender
    disk: SmallDisk | None = None
    """What ingest's journal and quarantine lie on, where one can be mounted for it."""
    peak_rss_mb: float = 0.0

    def see_memory(self) -> None:
        """Note the most memory ingest has held; called before each of its deaths."""
        process = self.ingest.process
        if process is not None and process.poll() is None:
            for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    self.peak_rss_mb = max(self.peak_rss_mb, int(line.split()[1]) / 1000)


@dataclass(frozen=True)
class Fault:
    """`begin`, hold for `hold_s`, `end`."""

    name: str
    begin: Callable[[Scene], None]
    end: Callable[[Scene], None]
    hold_s: float


def _nothing(_scene: Scene) -> None:
    return


def _kill_ingest(scene: Scene) -> None:
    scene.see_memory()
    scene.ingest.end(signal.SIGKILL)


def _start_ingest(scene: Scene) -> None:
    scene.ingest.process = None
    start(scene)


def start(scene: Scene) -> None:
    """Start ingest with the clock that can be shifted."""
    scene.ingest.start()


def _kill_ingest_often(scene: Scene) -> None:
    for _ in range(4):
        _kill_ingest(scene)
        _start_ingest(scene)
        time.sleep(2.0)
    _kill_ingest(scene)


def _stop_ingest(scene: Scene) -> None:
    scene.see_memory()
    if scene.ingest.end() != 0:
        raise AssertionError(f"ingest did not stop cleanly:\n{scene.ingest.log()[-2000:]}")


def _signal_ingest(number: signal.Signals) -> Callable[[Scene], None]:
    def send(scene: Scene) -> None:
        assert scene.ingest.process is not None
        scene.ingest.process.send_signal(number)
    return send


def _shift(milliseconds: int) -> Callable[[Scene], None]:
    def write(scene: Scene) -> None:
        state = Path(scene.ingest.env["SEATWATT_INGEST_STATE"])
        (state / "clock-shift-ms").write_text(str(milliseconds))
    return write


def _weather(link: str, weather: Weather) -> Callable[[Scene], None]:
    return lambda scene: getattr(scene, link).set(weather)


def _both_killed(scene: Scene) -> None:
    scene.broker.kill()
    _kill_ingest(scene)


def _both_started(scene: Scene) -> None:
    scene.broker.start()
    _start_ingest(scene)


def _fill_disk(scene: Scene) -> None:
    assert scene.disk is not None
    scene.disk.fill()


def _relieve_disk(scene: Scene) -> None:
    assert scene.disk is not None
    scene.disk.relieve()


def _fill_disk_without_store(scene: Scene) -> None:
    scene.influx.stop()
    _fill_disk(scene)


def _relieve_disk_and_start_store(scene: Scene) -> None:
    _relieve_disk(scene)
    scene.influx.start()


def faults(scale: float, disk: bool) -> list[Fault]:
    """All of them; `scale` stretches how long each holds, `disk`: there is one to be filled."""
    fair = Weather.FAIR
    made = [
        Fault("none (steady state)", _nothing, _nothing, 4),
        Fault("ingest kill -9", _kill_ingest, _start_ingest, 2),
        Fault("ingest kill -9, five times", _kill_ingest_often, _start_ingest, 0.5),
        Fault("ingest SIGTERM", _stop_ingest, _start_ingest, 3),
        Fault("ingest frozen", _signal_ingest(signal.SIGSTOP), _signal_ingest(signal.SIGCONT), 6),
        Fault("influxd kill -9", lambda s: s.influx.kill(), lambda s: s.influx.start(), 4),
        Fault("influxd SIGTERM", lambda s: s.influx.stop(), lambda s: s.influx.start(), 4),
        Fault("influxd frozen", lambda s: s.influx.freeze(), lambda s: s.influx.thaw(), 8),
        Fault("mosquitto kill -9", lambda s: s.broker.kill(), lambda s: s.broker.start(), 3),
        Fault("mosquitto SIGTERM", lambda s: s.broker.stop(), lambda s: s.broker.start(), 3),
        Fault("mosquitto frozen", lambda s: s.broker.freeze(), lambda s: s.broker.thaw(), 6),
        Fault("mosquitto and ingest kill -9", _both_killed, _both_started, 2),
        Fault("journal full (influxd down)", lambda s: s.influx.stop(),
              lambda s: s.influx.start(), 14),
        Fault("clock one hour back", _shift(-3_600_000), _shift(0), 4),
        Fault("clock one hour ahead", _shift(3_600_000), _shift(0), 4),
        Fault("2,000 malformed messages", lambda s: s.sender.poison(2_000), _nothing, 4),
    ]
    for link, name in (("to_broker", "broker"), ("to_influx", "influxd")):
        made += [Fault(f"link to {name}: {weather.name.lower()}", _weather(link, weather),
                       _weather(link, fair), 5)
                 for weather in (Weather.DROP, Weather.DELAY, Weather.RESET)]
    if disk:
        made += [Fault("ingest's disk full", _fill_disk, _relieve_disk, 5),
                 Fault("ingest's disk full, influxd down", _fill_disk_without_store,
                       _relieve_disk_and_start_store, 5)]
    return [Fault(f.name, f.begin, f.end, f.hold_s * scale) for f in made]
