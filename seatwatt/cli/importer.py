"""`seatwatt import`: turn a public data set into a recording."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from seatwatt.cli.progress import Work
from seatwatt.contract.devices import Device, check_identifier
from seatwatt.contract.errors import InputError
from seatwatt.simulators import importing
from seatwatt.simulators.importing import Imported
from seatwatt.simulators.messages import messages
from seatwatt.store.recording import Message, write_recording

app = typer.Typer(no_args_is_help=True, help="Public data sets as recordings. Example: "
                  "[bold]seatwatt import combed FOLDER --out june.ndjson.gz[/bold]",
                  rich_markup_mode="rich")

SiteOption = Annotated[str, typer.Option(help="id of the site in the recording's topics")]
OutOption = Annotated[Path, typer.Option(help="the recording; .gz: compressed")]
PackOption = Annotated[int, typer.Option(min=0, max=3000,
                                         help="readings a message; 0: a message a reading")]


@app.command()
def combed(folder: Annotated[Path, typer.Argument(help="holds <meter>_energy.csv.gz")],
           out: OutOption, site: SiteOption = "combed", pack: PackOption = 0,
           power: Annotated[bool, typer.Option("--power", help="<meter>_power.csv.gz too")] = False
           ) -> None:
    """Registers of a real building (COMBED): mains, lifts and ahu0 go to zone plant, floor3 or
    light3 to zone floor3.

    Example: seatwatt import combed ../shared/data/combed --out june.ndjson.gz --pack 300
    """
    check_identifier("--site", site)
    _write(out, site, pack, importing.combed(folder, site, power))


@app.command()
def toon(file: Annotated[Path, typer.Argument(help="epoch seconds, Wh; gzipped or not")],
         out: OutOption, site: SiteOption = "toon", pack: PackOption = 0,
         meter: Annotated[str, typer.Option(help="zone/device it becomes")] = "house/meter"
         ) -> None:
    """A household's register from a Toon display.

    Example: seatwatt import toon elec_solar_quantity.csv.gz --meter house/solar --out solar.ndjson
    """
    check_identifier("--site", site)
    _write(out, site, pack, importing.toon(file, site, Device.parse(meter, "meter")))


@app.command("desk-presence")
def desk_presence(folder: Annotated[Path, typer.Argument(help="holds Model_predicted_results/")],
                  out: OutOption, site: SiteOption = "desks", pack: PackOption = 0,
                  time_zone: Annotated[str, typer.Option(help="of the local times in the files")]
                  = "Asia/Shanghai") -> None:
    """Who sat at eight desks, minute by minute, and three air conditioners' registers.

    Example: seatwatt import desk-presence ../shared/data/desk-presence --out desks.ndjson.gz
    """
    check_identifier("--site", site)
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise InputError("--time-zone", f"{time_zone!r} is unknown", "such as Asia/Shanghai"
                         ) from None
    _write(out, site, pack, importing.desk_presence(folder, site, zone))


def _write(out: Path, site: str, pack: int, parts: Iterator[Imported]) -> None:
    read = []
    with Work("reading", 0, "readings") as work:
        for part in parts:
            read.append(part)
            work.advance(len(part.times_ms))
    batch = importing.merged(read)
    with Work("writing", len(batch), "readings") as work:
        def lines() -> Iterator[Message]:
            for taken_at_ms, topic, payload in messages(batch, site, pack):
                yield Message(taken_at_ms, topic, payload)
                work.advance(min(pack, len(batch)) or 1)
            work.to(len(batch))

        count = write(out, lines())
    print(f"{out}: {len(batch):,} readings of {len(read)} series in {count:,} messages")


def write(out: Path, lines: Iterator[Message]) -> int:
    """write_recording, with a file that cannot be written as one clear line."""
    try:
        return write_recording(out, lines)
    except OSError as error:
        raise InputError(f"--out {out}", str(error.strerror or error), "a file to write") from None
