"""Commands run inside the test's own process: what they print, and how they end."""

import io
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from seatwatt.cli import main


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def run(arguments: list[str], env: Mapping[str, str], folder: Path | None = None) -> Ended:
    """`seatwatt ARGUMENTS` with `env` on top of the environment, in `folder`."""
    out, error = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["seatwatt", *arguments])
        if folder is not None:
            patch.chdir(folder)
        for name, value in env.items():
            patch.setenv(name, value)
        with redirect_stdout(out), redirect_stderr(error), pytest.raises(SystemExit) as ended:
            main()
    code = ended.value.code
    return Ended(code if isinstance(code, int) else 0, out.getvalue(), error.getvalue())
