"""What is no plain UTF-8 is told at its first line, with its first field."""

import pytest

from seatwatt.contract.encoding import check_encoding, check_no_mark
from seatwatt.contract.errors import InputError

CSV = "time,kind,zone\n1,seat,hall-a\n"


@pytest.mark.parametrize("text", ["", "t", "time,kind", '{"a": 1}', "\u00fc", "site: x"])
def test_plain_utf_8_is_taken(text: str) -> None:
    check_encoding("f", text.encode())
    check_no_mark("f", 1, text.encode())


@pytest.mark.parametrize(("text", "codec", "said"), [
    (CSV, "utf-8-sig", "f:1: time: it starts with a byte-order mark of UTF-8; expected UTF-8 "
                       "without it (sed -i '1s/^\\xEF\\xBB\\xBF//' FILE takes it away)"),
    (CSV, "utf-16", "f:1: time: it starts with a byte-order mark of UTF-16; expected UTF-8 "
                    "without a mark (iconv -f UTF-16 -t UTF-8 FILE writes it)"),
    (CSV, "utf-32", "f:1: time: it starts with a byte-order mark of UTF-32"),
    (CSV, "utf-16-le", "f:1: time: it is UTF-16; expected UTF-8 without a mark "
                       "(iconv -f UTF-16-LE -t UTF-8 FILE writes it)"),
    (CSV, "utf-16-be", "f:1: time: it is UTF-16"),
    ("# a comment\nsite: x\n", "utf-8-sig", "f:1: it starts with"),
    ('"time","kind"\n', "utf-8-sig", "f:1: time: it starts with"),
    ('{"received_at": 1}', "utf-8-sig", "f:1: received_at: it starts with"),
    ("bill: pesco", "utf-8-sig", "f:1: bill: it starts with"),
    ("meter reading ,x", "utf-8-sig", "f:1: meter reading: it starts with"),
    ("", "utf-8-sig", "f:1: it starts with")])
def test_a_mark_is_told_with_line_and_field(text: str, codec: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        check_encoding("f", text.encode(codec))
    assert str(caught.value).startswith(said)


def test_big_endian_marks_are_known() -> None:
    for codec in ("utf-16-be", "utf-32-be"):
        with pytest.raises(InputError, match="f:1: time: it starts with a byte-order mark"):
            check_encoding("f", ("\ufeff" + CSV).encode(codec))


def test_a_mark_between_joined_files_is_told_with_its_line() -> None:
    with pytest.raises(InputError, match=r"^f:9: a byte-order mark stands in the middle"):
        check_no_mark("f", 7, (CSV + "\ufeff" + CSV).encode())
