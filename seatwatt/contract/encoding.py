"""What people hand in is UTF-8 text from its first byte: no byte-order mark, no UTF-16.

A mark cannot be seen, yet it becomes part of the first name: of the first column of a CSV, the
first key of a YAML file. So it is refused where it stands, and never taken for part of a name.
"""

import re

from seatwatt.contract.errors import InputError

MARK = b"\xef\xbb\xbf"
"""U+FEFF in UTF-8."""

HEAD_BYTES = 200
"""So much of a text's beginning is enough to know its encoding and name its first field."""

_MARKS = ((MARK, "UTF-8", "utf-8"), (b"\xff\xfe\0\0", "UTF-32", "utf-32-le"),
          (b"\0\0\xfe\xff", "UTF-32", "utf-32-be"), (b"\xff\xfe", "UTF-16", "utf-16-le"),
          (b"\xfe\xff", "UTF-16", "utf-16-be"))
_UNMARKED = ((re.compile(rb"[\t\n\r -~]\0[\t\n\r -~]\0"), "utf-16-le"),
             (re.compile(rb"\0[\t\n\r -~]\0[\t\n\r -~]"), "utf-16-be"))
_LINE_END = b"\n"
_FIELD = re.compile(r"[\s\"'{\[]*([A-Za-z_][\w ]*)")


def check_encoding(name: str, head: bytes) -> None:
    """Raise InputError with line 1 and the first field of the text `name`, which begins with
    `head`, when that is a byte-order mark or UTF-16."""
    for mark, encoding, codec in _MARKS:
        if head.startswith(mark):
            remedy = ("UTF-8 without it (sed -i '1s/^\\xEF\\xBB\\xBF//' FILE takes it away)"
                      if mark == MARK else _converted(encoding))
            raise InputError(f"{name}:1{_field(head[len(mark):], codec)}",
                             f"it starts with a byte-order mark of {encoding}", remedy)
    for pattern, codec in _UNMARKED:
        if pattern.match(head):
            raise InputError(f"{name}:1{_field(head, codec)}", "it is UTF-16",
                             _converted(codec.upper()))


def check_no_mark(name: str, line: int, text: bytes) -> None:
    """Raise InputError for a byte-order mark anywhere in `text`, whose first line is `line`."""
    before, mark, _ = text.partition(MARK)
    if mark:
        raise marked(f"{name}:{line + before.count(_LINE_END)}")


def marked(where: str) -> InputError:
    """The error of a byte-order mark that does not stand at the beginning."""
    return InputError(where, "a byte-order mark stands in the middle of the file, as where two "
                      "files were joined", "UTF-8 without it")


def _converted(encoding: str) -> str:
    return f"UTF-8 without a mark (iconv -f {encoding} -t UTF-8 FILE writes it)"


def _field(text: bytes, codec: str) -> str:
    """`: name` of the first column or key; empty where none can be told."""
    found = _FIELD.match(text[:HEAD_BYTES].decode(codec, "ignore").split("\n")[0])
    return f": {found[1].strip()}" if found else ""
