"""`seatwatt settings`: every setting with its default and meaning, as an environment file."""

import textwrap
from collections.abc import Iterator
from typing import Any

import typer
from pydantic import SecretStr
from pydantic_settings import BaseSettings

from seatwatt import settings

app = typer.Typer(add_completion=False)


@app.command()
def show() -> None:
    """Print every setting with its default and meaning, as a file to fill in.

    Example: seatwatt settings > .env
    """
    print(example_file(), end="")


def example_file() -> str:
    """The text of `.env.example`: one block a service, one commented line a setting."""
    lines = ["# Settings of the services. What is commented shows its default.",
             "# A secret may come from a file instead: SEATWATT_..._FILE=/run/secrets/name"]
    for group in groups():
        lines += ["", f"# --- {(group.__doc__ or '').splitlines()[0]}"]
        for name, text, default in own_settings(group):
            lines += textwrap.wrap(text, 98, initial_indent="# ", subsequent_indent="# ")
            lines.append(f"# {name}={default}")
    return "\n".join(lines) + "\n"


def groups() -> list[type[BaseSettings]]:
    """The settings classes, in the order of the file."""
    return [c for c in vars(settings).values()
            if isinstance(c, type) and issubclass(c, settings.Settings) and own_settings(c)]


def own_settings(group: type[BaseSettings]) -> list[tuple[str, str, str]]:
    """(SEATWATT_NAME, meaning, default) of what `group` adds to the classes above it."""
    return list(_rows(group))


def _rows(group: type[BaseSettings]) -> Iterator[tuple[str, str, str]]:
    inherited = {name for base in group.__bases__ for name in getattr(base, "model_fields", {})}
    for name, field in group.model_fields.items():
        if name not in inherited:
            default = "" if field.is_required() else _text(field.default)
            yield settings.PREFIX + name.upper(), field.description or "", default


def _text(default: Any) -> str:
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    return str(default).lower() if isinstance(default, bool) else str(default)
