"""What a wrong command line is answered with: one line, and status 2."""

import pytest

from seatwatt import cli


def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
            *arguments: str) -> str:
    monkeypatch.setattr("sys.argv", ["seatwatt", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    printed = capsys.readouterr()
    assert (ended.value.code, printed.out) == (2, "")
    [line] = printed.err.splitlines()
    return line


@pytest.mark.parametrize(("arguments", "words"), [
    (("nonsense",), "'nonsense' is not a command"),
    (("apportion",), "seatwatt: apportion: Missing option '--site'; "
                     "expected what `seatwatt apportion --help` shows"),
    (("apportion", "--sight", "x"), "No such option: --sight"),
    (("run", "reopen", "x"), "seatwatt: run reopen: Invalid value for 'RUN'"),
    (("run", "close"), "No such command 'close'"),
    (("quarantine", "list", "--limit", "0"), "'--limit'")])
def test_a_wrong_command_line_is_one_line(
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
        arguments: tuple[str, ...], words: str) -> None:
    assert words in refused(monkeypatch, capsys, *arguments)


def test_a_group_without_a_command_shows_its_help(
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["seatwatt", "run"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    printed = capsys.readouterr()
    assert ended.value.code == 2
    assert "reopen" in printed.out + printed.err


def test_help_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["seatwatt", "run", "--help"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code


def test_ctrl_c_while_a_command_starts_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sys.argv", ["seatwatt", "run", "list"])
    monkeypatch.setattr(cli.importlib, "import_module", interrupted)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    monkeypatch.undo()
    assert ended.value.code == 130
