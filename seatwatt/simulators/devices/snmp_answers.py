"""What `snmpd` asks for the UPS-MIB (its `pass_persist` protocol), answered from a JSON file.

Run by snmpd: python -m seatwatt.simulators.devices.snmp_answers FILE
"""

import json
import sys
from pathlib import Path

Answers = dict[tuple[int, ...], tuple[str, str]]


def parsed(oid: str) -> tuple[int, ...]:
    """An OID as numbers, so that they sort as SNMP sorts them."""
    return tuple(int(part) for part in oid.strip().strip(".").split("."))


def load(path: Path) -> Answers:
    """The file's answers: OID -> type and value."""
    rows = json.loads(path.read_text())
    return {parsed(oid): (type_, str(value)) for oid, (type_, value) in rows.items()}


def answer(answers: Answers, command: str, oid: str) -> list[str]:
    """The lines that answer a `get` or a `getnext`; NONE where there is nothing."""
    asked = parsed(oid)
    if command == "getnext":
        later = [one for one in answers if one > asked]
        asked = min(later, default=())
    if asked not in answers:
        return ["NONE"]
    type_, value = answers[asked]
    return ["." + ".".join(map(str, asked)), type_, value]


def main() -> None:
    """Answer until snmpd closes the pipe."""
    path = Path(sys.argv[1])
    while line := sys.stdin.readline():
        command = line.strip()
        if command == "PING":
            lines = ["PONG"]
        elif command in ("get", "getnext"):
            lines = answer(load(path), command, sys.stdin.readline())
        else:
            # A `set` brings two lines more; nothing here may be written.
            sys.stdin.readline()
            sys.stdin.readline()
            lines = ["not-writable"]
        print("\n".join(lines), flush=True)


if __name__ == "__main__":
    main()
