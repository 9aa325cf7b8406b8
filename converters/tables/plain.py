"""Plain numbers in long columns, told and read in bulk: exactly what values.plain_number does one by one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from converters.model import Scalar
from converters.packed import Packed, Part, Run, found, where
from converters.tables.values import MAX_DIGITS, plain_number

if TYPE_CHECKING:
    import pyarrow as pa

MAX_OTHERS = 64
_PLAIN = r"^-?(?:[1-9][0-9]{0,2}(?:,[0-9]{3})+|[1-9][0-9]*|0)(?:\.[0-9]+)?$"


def is_figure(value: Scalar) -> bool:
    """The value is a number, or a text that is plainly one."""
    return type(value) is int or type(value) is float or (type(value) is str and plain_number(value) is not None)


def no_figures(values: Sequence[Scalar]) -> list[int]:
    """The positions at which there is no figure."""
    return where(values, lambda value: not is_figure(value), _no_figures)


def _no_figures(run: Run) -> pa.Array[Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if run.types() & {int, float}:
        return run.array.is_null()
    return pc.invert(_are_plain(run.texts())) if str in run.types() else pa.array([True] * len(run))


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

    if run.types() - {str, type(None)}:
        return None
    texts = run.texts()
    plain = _are_plain(texts)
    if pc.sum(plain).as_py() + texts.null_count < len(texts):
        others = texts.filter(pc.invert(plain)).unique().drop_null()
        if len(others) > MAX_OTHERS or not set(others.to_pylist()) <= set(marks):
            return None
        texts = pc.if_else(plain, texts, pa.scalar(None, pa.string()))
    if pc.any(pc.match_substring(texts, ",")).as_py():
        texts = pc.replace_substring(texts, ",", "")
    decimal = pc.any(pc.match_substring(texts, ".")).as_py()
    return _told_apart(texts) if decimal else Run(texts.cast(pa.int64()))


def _told_apart(texts: pa.Array[Any]) -> Run:
    """Numbers of which those without a decimal point are integers."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return Run(texts.cast(pa.float64()), pc.fill_null(pc.invert(pc.match_substring(texts, ".")), False))


def _are_plain(texts: pa.Array[Any]) -> pa.Array[Any]:
    import pyarrow.compute as pc

    short = pc.less_equal(pc.binary_length(texts), MAX_DIGITS)
    return pc.fill_null(pc.and_(short, pc.match_substring_regex(texts, _PLAIN)), False)
