"""A terminal's screen, as far as pytest and we use one: what a person would see of bytes that were written."""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"\x1b\[(\d*)([A-Za-z])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")


class Screen:
    """Endless downwards; lines wrap at `columns`."""

    def __init__(self, columns: int = 80) -> None:
        self.columns = columns
        self.row = self.column = 0
        self._cells: list[list[str]] = [[]]

    def write(self, text: str) -> None:
        """Take in what was written."""
        place = 0
        while place < len(text):
            if match := _ESCAPE.match(text, place):
                place = match.end()
                if match[2]:
                    self._command(match[2], int(match[1] or 1))
                continue
            self._character(text[place])
            place += 1

    def _character(self, character: str) -> None:
        if character == "\r":
            self.column = 0
        elif character == "\n":
            # the terminal's driver makes a line feed go to the beginning of the line
            self.row, self.column = self.row + 1, 0
        else:
            if self.column >= self.columns:
                self.row, self.column = self.row + 1, 0
            line = self._line()
            line += " " * (self.column + 1 - len(line))
            line[self.column] = character
            self.column += 1
        self._line()

    def _command(self, name: str, number: int) -> None:
        if name == "A":
            self.row = max(0, self.row - number)
        elif name == "C":
            self.column = min(self.columns - 1, self.column + number)
        elif name == "K":
            del self._line()[self.column :]
        elif name != "m":  # colours
            raise AssertionError(f"this screen does not know ESC [ {number} {name}")

    def _line(self) -> list[str]:
        while len(self._cells) <= self.row:
            self._cells.append([])
        return self._cells[self.row]

    @property
    def lines(self) -> list[str]:
        """What is seen, without spaces at the ends of lines."""
        return ["".join(line).rstrip() for line in self._cells]

    @property
    def text(self) -> str:
        """What is seen."""
        return "\n".join(self.lines).rstrip("\n")
