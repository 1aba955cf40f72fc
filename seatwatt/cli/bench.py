"""`seatwatt bench`: each `bench_NAME.py` beside this file is a subcommand NAME."""

import importlib
import pkgutil
from typing import Any

import typer
from typer.core import TyperGroup

import seatwatt.cli


class _Benches(TyperGroup):
    """Imports a benchmark only when it is asked for (or listed by --help)."""

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(module.name.removeprefix("bench_")
                      for module in pkgutil.iter_modules(seatwatt.cli.__path__)
                      if module.name.startswith("bench_"))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"seatwatt.cli.bench_{cmd_name}")
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        return command


app = typer.Typer(cls=_Benches, no_args_is_help=True, add_completion=False)


@app.callback()
def bench() -> None:
    """Measure speed and print it with the environment. Example: seatwatt bench apportion"""
