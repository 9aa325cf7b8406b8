"""Plain numbers in long columns, told and read in bulk: exactly what values.plain_number does one by one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from converters.model import Scalar
from converters.packed import Packed, found, where
from converters.tables.values import MAX_DIGITS, plain_number

if TYPE_CHECKING:
    import pyarrow as pa

    from converters.arrays import Mask
    from converters.packed import Part
    from converters.runs import Run

MAX_OTHERS = 64
_PLAIN = r"^-?(?:[1-9][0-9]{0,2}(?:,[0-9]{3})+|[1-9][0-9]*|0)(?:\.[0-9]+)?$"


def is_figure(value: Scalar) -> bool:
    """The value is a number, or a text that is plainly one."""
    return type(value) is int or type(value) is float or (type(value) is str and plain_number(value) is not None)


def no_figures(values: Sequence[Scalar]) -> list[int]:
    """The positions at which there is no figure."""
    return where(values, lambda value: not is_figure(value), _no_figures)


def _no_figures(run: Run) -> Mask:
    from converters import arrays

    types = run.types()
    if types & {int, float}:
        return run.blanks()
    plain = _are_plain(run.texts()) if str in types else None
    return arrays.valid_in(run.array) | True if plain is None else ~plain


def plain_figures(values: Packed, marks: Collection[str]) -> tuple[Packed, dict[int, str]] | None:
    """The numbers of a column of texts, and where it has marks instead; None if it holds anything else.

    Args:
        marks: texts that stand for no number.
    """
    parts: list[Part] = []
    for part in values.parts:
        numbers = _numbers_in(part, marks) if isinstance(part, list) else _numbers_of(part, marks)
        if numbers is None:
            return None
        parts.append(numbers)
    return Packed(parts), found(values, marks)


def _numbers_in(texts: list[Scalar], marks: Collection[str]) -> list[Scalar] | None:
    numbers = [plain_number(text) if type(text) is str else None for text in texts]
    plain = all(n is not None or t is None or t in marks for t, n in zip(texts, numbers, strict=True))
    return [*numbers] if plain else None


def _numbers_of(run: Run, marks: Collection[str]) -> Run | None:
    import pyarrow as pa
    import pyarrow.compute as pc

    from converters import arrays
    from converters.runs import Run

    if run.types() - {str, type(None)}:
        return None
    texts = run.texts()
    others = arrays.valid_in(texts) & ~_are_plain(texts)
    if others.any():
        found = texts.filter(arrays.of_flags(others)).unique()
        if len(found) > MAX_OTHERS or not set(found.to_pylist()) <= set(marks):
            return None
        texts = arrays.blanked(texts, others)
    if pc.any(pc.match_substring(texts, ",")).as_py():
        texts = pc.replace_substring(texts, ",", "")
    decimal = pc.match_substring(texts, ".")
    if not pc.any(decimal).as_py():
        return Run(texts.cast(pa.int64()))
    return Run(texts.cast(pa.float64()), pc.invert(decimal))


def _are_plain(texts: pa.Array[Any]) -> Mask:
    import pyarrow.compute as pc

    from converters import arrays

    return arrays.flags_of(pc.match_substring_regex(texts, _PLAIN)) & (arrays.lengths_of(texts) <= MAX_DIGITS)
