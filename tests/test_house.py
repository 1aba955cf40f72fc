"""The house's own rules, held by tests: lengths, leftovers, documentation beside the code."""

import ast
import importlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from seatwatt.cli import COMMANDS, settings
from tests.shared import ROOT

FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 300
PACKAGES = ("contract", "metering", "billing", "store", "ledger", "settlement", "gateway",
            "ingest", "api", "simulators", "provision", "cli")
LEFTOVERS = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
# Written in pieces, so that this file does not name what it forbids.
FORBIDDEN = re.compile("|".join(("python" "hosted", "py" "pi[.]org", "registry[.]npm" "js",
                                 "deb[.]deb" "ian", "crates[.]" "io", "proxy[.]" "golang",
                                 "/wo" "rk/", "/ro" "ot/", "/tmp/" "bash_jobs")))


def tracked(*suffixes: str) -> list[Path]:
    """Files in the repository (or about to be), by suffix; all of them without one."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"],
                            cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = (ROOT / name for name in listed.splitlines())
    return [f for f in files if f.is_file() and (not suffixes or f.suffix in suffixes)]


def code() -> list[Path]:
    return [f for f in tracked(".py") if f.is_relative_to(ROOT / "seatwatt")]


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_functions_stop_at_sixty_lines() -> None:
    long = [f"{file.relative_to(ROOT)}:{node.lineno} {node.name}" for file in tracked(".py")
            for node in functions(file)
            if (node.end_lineno or 0) - node.lineno > FUNCTION_LINES_MAX]
    assert long == []


def test_files_stop_at_three_hundred_lines() -> None:
    long = [str(f.relative_to(ROOT)) for f in code()
            if f.read_text().count("\n") > FILE_LINES_MAX]
    assert long == []


def test_nothing_is_left_over() -> None:
    found = [f"{f.relative_to(ROOT)}: {match.group()}" for f in code()
             if (match := LEFTOVERS.search(f.read_text()))]
    assert found == []


def test_no_exception_is_swallowed() -> None:
    silent = [f"{file.relative_to(ROOT)}:{node.lineno}" for file in code()
              for node in ast.walk(ast.parse(file.read_text()))
              if isinstance(node, ast.ExceptHandler) and len(node.body) == 1
              and isinstance(node.body[0], ast.Pass)]
    assert silent == []


def test_no_registry_and_no_machine_path_is_named() -> None:
    texts = ((f, f.read_text(errors="replace")) for f in tracked() if f.stat().st_size < 2_000_000)
    found = [f"{f.relative_to(ROOT)}: {match.group()}" for f, text in texts
             if (match := FORBIDDEN.search(text))]
    assert found == []


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_says_what_it_owns(package: str) -> None:
    text = (ROOT / "seatwatt" / package / "README.md").read_text().lower()
    assert "owns" in text
    assert "does not own" in text


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_with_an_example(command: str) -> None:
    module = importlib.import_module(COMMANDS[command][0])
    assert f"seatwatt {command}" in (module.__doc__ or "") + _help_texts(module)


def _help_texts(module: object) -> str:
    app = vars(module)["app"]
    callbacks = [c.callback for c in app.registered_commands]
    if app.registered_callback:
        callbacks.append(app.registered_callback.callback)
    return "".join(c.__doc__ or "" for c in callbacks if c) + str(app.info.epilog or "")


def test_every_setting_is_described_and_listed() -> None:
    rows = [row for group in settings.groups() for row in settings.own_settings(group)]
    assert [name for name, meaning, _ in rows if not meaning] == []
    assert (ROOT / ".env.example").read_text() == settings.example_file(), \
        "seatwatt settings > .env.example"


@pytest.mark.parametrize("page", tracked(".md"), ids=lambda p: str(p.relative_to(ROOT)))
def test_links_between_pages_hold(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text())
    broken = [t for t in targets if not (page.parent / t).exists()]
    assert broken == []
