"""The benchmark commands: found by their file's name, honest about what they ran."""

import pytest

from seatwatt.cli import bench
from seatwatt.contract.errors import InputError


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        bench.app(list(arguments), prog_name="seatwatt bench")
    code = ended.value.code
    return code if isinstance(code, int) else 0, capsys.readouterr().out


def test_every_bench_file_is_a_subcommand_with_an_example(capsys: pytest.CaptureFixture[str]
                                                          ) -> None:
    _, overview = run(capsys, "--help")
    assert "apportion" in overview
    status, text = run(capsys, "apportion", "--help")
    assert status == 0
    assert "Example: seatwatt bench apportion" in text


def test_apportion_prints_the_environment_and_what_it_ran(capsys: pytest.CaptureFixture[str]
                                                          ) -> None:
    status, text = run(capsys, "apportion", "--seats", "20", "--sites", "1,2", "--runs", "1")
    assert status == 0
    assert "python 3." in text
    # 20 seats, 3 sources, 2 boards and 2 machines, once a minute for 31 days and an hour each side.
    assert "20 seats and 7 meters, 1488 intervals, 1,208,520 readings; 1 runs" in text
    rows = [line.split() for line in text.splitlines() if line.strip()[:2] in ("1 ", "2 ")]
    assert [row[0] for row in rows if len(row) == 6] == ["1", "2"]
    assert "most memory held" in text


def test_a_recording_is_written_and_read_back(capsys: pytest.CaptureFixture[str]) -> None:
    status, text = run(capsys, "recording", "--seats", "5", "--runs", "1", "--pack", "4")
    assert status == 0
    # 5 seats and 6 meters, once a minute for a day and an hour each side.
    assert "5 seats, 1 days, 17,160 readings in messages of 4" in text
    assert "most memory held" in text


@pytest.mark.parametrize("sites", ["", "0", "1,x", "-1", "1,,2"])
def test_counts_that_are_none_are_refused(sites: str) -> None:
    with pytest.raises(InputError, match=r"^--sites: .* is no list of counts"):
        bench.app(["apportion", "--sites", sites], prog_name="seatwatt bench")


def test_an_unknown_benchmark_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    status, _ = run(capsys, "nonsense")
    assert status == 2
