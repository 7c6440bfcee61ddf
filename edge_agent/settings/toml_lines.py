"""On which line of a TOML text each key stands: `tomllib` reads values but forgets where they were."""

from __future__ import annotations

import contextlib
import re

KeyPath = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRINGS = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r'"""(?:\\.|[^\\])*?"""+',
        r"'''.*?'''+",
        r'"(?:\\.|[^"\\])*"',
        r"'[^']*'",
    )
)
_BARE_VALUE = re.compile(r"[^,\]}\n#]*")


def key_lines(text: str) -> dict[KeyPath, int]:
    r"""Map every table, key and array element of a valid TOML text to its line, counted from 1.

    Elements of arrays of tables are numbered from 0, as pydantic numbers them. Of a text that is not TOML, the lines
    up to the fault are returned.

    >>> key_lines("[broker]\nport = 1")
    {('broker',): 1, ('broker', 'port'): 2}
    """
    scan = _Scan(text)
    with contextlib.suppress(_NotTomlError):  # the parser that reads the values tells what is wrong
        scan.document()
    return scan.lines


def nearest_line(lines: dict[KeyPath, int], key: KeyPath) -> int | None:
    """The line of a key, or of the closest thing around it that has one.

    >>> nearest_line({("broker",): 3}, ("broker", "port"))
    3
    """
    for length in range(len(key), 0, -1):
        if key[:length] in lines:
            return lines[key[:length]]
    return None


class _NotTomlError(Exception):
    """The text stops being TOML here."""


class _Scan:
    """One pass over the text."""

    def __init__(self, text: str) -> None:
        self.lines: dict[KeyPath, int] = {}
        self._text = text
        self._at = 0
        self._counted_to = 0
        self._line = 1
        self._elements: dict[KeyPath, int] = {}

    def document(self) -> None:
        table: KeyPath = ()
        while self._skip_blank():
            if self._next("[["):
                table = self._table(self._dotted(), element=True)
                self._expect("]]")
            elif self._next("["):
                table = self._table(self._dotted(), element=False)
                self._expect("]")
            else:
                self._pair(table)

    def _table(self, names: list[str], *, element: bool) -> KeyPath:
        path: KeyPath = ()
        for position, name in enumerate(names):
            path = (*path, name)
            if element and position == len(names) - 1:
                self._elements[path] = self._elements.get(path, -1) + 1
            if path in self._elements:
                self.lines.setdefault(path, self._line_now())
                path = (*path, self._elements[path])
            self.lines.setdefault(path, self._line_now())
        return path

    def _pair(self, table: KeyPath) -> None:
        line = self._line_now()
        path = table
        for name in self._dotted():
            path = (*path, name)
            self.lines.setdefault(path, line)
        self._expect("=")
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        self._skip_blank()
        if self._next("["):
            element = 0
            while self._more("]"):
                self.lines.setdefault((*path, element), self._line_now())
                self._value((*path, element))
                element += 1
        elif self._next("{"):
            while self._more("}"):
                self._pair(path)
        elif self._string() is None:
            self._at = self._matched(_BARE_VALUE)

    def _more(self, closing: str) -> bool:
        self._skip_blank()
        if self._next(","):
            self._skip_blank()
        return not self._next(closing)

    def _dotted(self) -> list[str]:
        names: list[str] = []
        while True:
            self._skip_blank()
            quoted = self._string()
            if quoted is not None:
                names.append(quoted[1:-1])
            else:
                start, self._at = self._at, self._matched(_BARE_KEY)
                names.append(self._text[start : self._at])
            self._skip_blank()
            if not self._next("."):
                return names

    def _string(self) -> str | None:
        for kind in _STRINGS:
            match = kind.match(self._text, self._at)
            if match is not None:
                self._at = match.end()
                return match.group()
        return None

    def _matched(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self._text, self._at)
        if match is None or match.end() == self._at:
            raise _NotTomlError
        return match.end()

    def _next(self, token: str) -> bool:
        if not self._text.startswith(token, self._at):
            return False
        self._at += len(token)
        return True

    def _expect(self, token: str) -> None:
        if not self._next(token):
            raise _NotTomlError

    def _skip_blank(self) -> bool:
        match = _BLANK.match(self._text, self._at)
        if match is not None:
            self._at = match.end()
        return self._at < len(self._text)

    def _line_now(self) -> int:
        self._line += self._text.count("\n", self._counted_to, self._at)
        self._counted_to = self._at
        return self._line
