"""From JSON text to values: one value, or one on each line; every number is the number that is written.

Source: RFC 8259, 6 (numbers); RFC 7464 (JSON text sequences).
"""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from typing import Any

from converters.errors import Broken
from converters.model import Problem

_SPACE = re.compile(r"[\s\x1e]*")


class Parser:
    """From text to values, numbers exact."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.repeated: str | None = None
        self.bad_lines: list[int] = []
        self.decoder = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_float=_exact,
            parse_int=_integer,
            parse_constant=lambda _: math.nan,
            strict=False,
        )

    def parse(self, text: str) -> Any:
        """The value; of several (one on each line, or one after the other) the list of them.

        Raises:
            Broken: not even the first is sound.
        """
        values: list[Any] = []
        at = self._skip(text, 0)
        while at < len(text):
            try:
                value, end = self.decoder.raw_decode(text, at)
            except json.JSONDecodeError as error:
                if not values or "\n" not in text[:at]:
                    raise Broken(
                        f"{self.name} is no sound JSON: {error.msg} (line {error.lineno}, column {error.colno}).",
                        "It may be cut off: ask the sender to send it again.",
                    ) from error
                self.bad_lines.append(text.count("\n", 0, at) + 1)
                end = text.find("\n", at)
                end = len(text) if end < 0 else end
            else:
                values.append(value)
            at = self._skip(text, end)
        return values[0] if len(values) == 1 and not self.bad_lines else values

    def problems(self) -> list[Problem]:
        """What was wrong with it."""
        found = []
        if self.bad_lines:
            found.append(
                Problem(
                    "unreadable_lines",
                    f"{len(self.bad_lines):,} of its lines are no sound JSON, the first is line {self.bad_lines[0]:,}.",
                    "Ask the sender to send it again; the other lines were read.",
                )
            )
        if self.repeated is not None:
            found.append(
                Problem(
                    "repeated_member",
                    f"an object has the member '{self.repeated[:100]}' twice: the last one was read.",
                    "Ask the sender to give each member of an object a name of its own.",
                )
            )
        return found

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs) and self.repeated is None:
            seen: set[str] = set()
            self.repeated = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        return found

    @staticmethod
    def _skip(text: str, at: int) -> int:
        space = _SPACE.match(text, at)
        return space.end() if space else at


def _integer(text: str) -> int | str:
    """A whole number; a text where it is longer than any that counts something."""
    return int(text) if len(text) <= 40 else text


def _exact(text: str) -> float | Decimal | str:
    """A number with a fraction or an exponent: a float if that is the same number, else a decimal."""
    near = float(text)
    if len(text) <= 16 and math.isfinite(near):
        return near
    exact = Decimal(text)
    if math.isfinite(near) and Decimal(repr(near)) == exact:
        return near
    return exact if abs(exact.adjusted()) < 300 else text
