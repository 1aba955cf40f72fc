"""Reading a site file: YAML text -> Site, with errors that name the file and the line."""

import re
from pathlib import Path

import yaml

from seatwatt.contract.encoding import check_encoding, check_no_mark
from seatwatt.contract.errors import InputError
from seatwatt.contract.site import Site
from seatwatt.contract.sitefile import parse_site

BYTES_MAX = 8_000_000
"""A site of thousands of seats takes a megabyte; more is a mistake."""

Places = dict[str, int]
"""Path of a field (`leases[2].from`) -> its line."""

NODES_MAX = 1_000_000
"""Aliases of aliases can make a short text endless; no honest file has so many fields."""

DEPTH_MAX = 40
"""PyYAML builds its tree by recursion in C, where a deeply nested text would end the process."""

_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?"
                    r"|[-+]?\.inf|\.nan", re.IGNORECASE)
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}
_STRING_TAG = "tag:yaml.org,2002:str"
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


def load_site(path: Path) -> Site:
    """The site of a YAML file. Raises InputError with file, line, field and what was expected."""
    document, places = read_yaml(path)
    try:
        return parse_site(document, where="")
    except InputError as error:
        raise in_file(path, places, error) from None


def line_in(path: Path, field: str) -> str:
    """`file:line` of a field of a YAML file that was read before."""
    return f"{path}:{line_of(field, read_yaml(path)[1])}"


def placed(path: Path, error: InputError) -> InputError:
    """The error with file and line, where it is about a field of this file."""
    places = read_yaml(path)[1]
    if error.where not in places:
        return error
    return type(error)(f"{path}:{places[error.where]}: {error.where}", error.problem,
                       error.expected)


def read_yaml(path: Path) -> tuple[object, Places]:
    """A YAML file as mappings, lists, texts, numbers and truth values, and where each stands.

    Dates and clock times stay texts as written, and so does what starts with a needless zero
    (`009`); only true and false are truth values. A key given twice is refused.
    """
    return read_yaml_text(_text(path), str(path))


def read_yaml_text(text: str, name: str) -> tuple[object, Places]:
    """As `read_yaml`, of a text that errors call `name`."""
    places: Places = {}
    _check_marks(text, name)
    try:
        _check_depth(name, text)
        node = yaml.compose(text, Loader=_LOADER)
        return (_Builder(name, places).build(node, "") if node else None), places
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise InputError(f"{name}:{line}", f"not YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise InputError(name, f"not YAML: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise InputError(name, "an alias holds itself", "a site file") from None


def _check_marks(text: str, name: str) -> None:
    raw = text.encode(errors="replace")
    check_encoding(name, raw)
    check_no_mark(name, 1, raw)


def _check_depth(name: str, text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH_MAX:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise InputError(f"{name}:{line}", "it is nested too deeply",
                             f"at most {DEPTH_MAX} levels")


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > BYTES_MAX:
            raise InputError(str(path), "it is too large", f"at most {BYTES_MAX} bytes")
        raw = path.read_bytes()
        check_encoding(str(path), raw)
        return raw.decode()
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}", "a file") from None
    except UnicodeDecodeError as error:
        raise InputError(str(path), f"byte {error.start} is not UTF-8", "UTF-8 text") from None


class _Builder:
    """Turns YAML nodes into plain values and notes the line of each."""

    def __init__(self, file: str, places: Places) -> None:
        self._file, self._places = file, places

    def build(self, node: yaml.Node, path: str) -> object:
        self._places[path] = node.start_mark.line + 1
        if len(self._places) > NODES_MAX:
            raise self._wrong(node, f"more than {NODES_MAX} fields", "a site file")
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, f"{path}[{index}]") for index, item in enumerate(node.value)]
        return self._mapping(node, path)

    def _mapping(self, node: yaml.Node, path: str) -> dict[str, object]:
        built: dict[str, object] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self._wrong(key, "a key is not a text", "key: value")
            place = f"{path}.{key.value}" if path else key.value
            if key.value in built:
                raise self._wrong(key, f"{place} is given twice", "each key once")
            built[key.value] = self.build(value, place)
            self._places[place] = key.start_mark.line + 1
        return built

    def _scalar(self, node: yaml.ScalarNode) -> object:
        text: str = node.value
        if node.tag != _STRING_TAG:
            raise self._wrong(node, f"{node.tag} is not a tag we know", "a value without a tag")
        if node.style or len(text) > 40:
            return text
        if text.lower() in _WORDS:
            return _WORDS[text.lower()]
        if _INT.fullmatch(text):
            return int(text)
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan")
                     ) if _FLOAT.fullmatch(text) else text

    def _wrong(self, node: yaml.Node, problem: str, expected: str) -> InputError:
        return InputError(f"{self._file}:{node.start_mark.line + 1}", problem, expected)


def in_file(path: Path, places: Places, error: InputError) -> InputError:
    """The error with file and line of its field, or of the nearest one around it."""
    return type(error)(f"{path}:{line_of(error.where, places)}: {error.where}", error.problem,
                       error.expected)


def line_of(path: str, places: Places) -> int:
    """The line of the field, or of the nearest one around it."""
    while path and path not in places:
        path = path[:max(path.rfind("."), path.rfind("["), 0)]
    return places.get(path, 1)
