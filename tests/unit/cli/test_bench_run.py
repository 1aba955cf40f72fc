"""`seatwatt bench run` on a small site: what it drafted, and what it refuses."""

import pytest

from seatwatt.cli import bench
from seatwatt.contract.errors import InputError


def test_a_run_is_drafted_cold_from_kept_days_and_compared(
        capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        bench.app(["run", "--store", "sqlite", "--cases", "2x1", "--runs", "1"],
                  prog_name="seatwatt bench")
    text = capsys.readouterr().out
    assert not ended.value.code
    assert "python 3." in text
    assert "sqlite; medians of 1" in text
    [row] = [line.split() for line in text.splitlines() if line.split()[:2] == ["2", "1"]]
    # 2 seats, 3 sources, a board and 2 machines, once a minute for 32 days and an hour each side.
    assert row[:3] == ["2", "1", "369,600"]
    assert (row[5], row[9], row[13]) == ("-", "-", "-")  # SQLite has no server
    assert all(float(cell) > 0 for cell in row[3:] if cell != "-")


@pytest.mark.parametrize("cases", ["", "350", "0x1", "10x13", "10x1,x"])
def test_cases_that_cannot_be_measured_are_refused(cases: str) -> None:
    with pytest.raises(InputError, match=r"^--cases: .* cannot be measured"):
        bench.app(["run", "--cases", cases], prog_name="seatwatt bench")
