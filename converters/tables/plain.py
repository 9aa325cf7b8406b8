"""Plain numbers in long columns, told and read in bulk: exactly what values.plain_number does one by one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from converters.model import Scalar
from converters.packed import Packed, blanks, found, where
from converters.tables.values import MAX_DIGITS, plain_number

if TYPE_CHECKING:
    import pyarrow as pa

    from converters.arrays import Ints, Mask
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
    read = Packed(parts)
    return read, found(values, marks) if len(blanks(read)) > len(blanks(values)) else {}


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
    if _has(texts, ","):
        texts = pc.replace_substring(texts, ",", "")
    if not _has(texts, "."):
        return Run(texts.cast(pa.int64()))
    return Run(texts.cast(pa.float64()), pc.invert(pc.match_substring(texts, ".")))


def _has(texts: pa.Array[Any], sign: str) -> bool:
    """Some text has the sign; bytes under a null do not count, but mostly there are none to look at."""
    import pyarrow.compute as pc

    from converters import arrays

    return bool((arrays.bytes_of(texts) == ord(sign)).any() and pc.any(pc.match_substring(texts, sign)).as_py())


def _are_plain(texts: pa.Array[Any]) -> Mask:
    import pyarrow.compute as pc

    from converters import arrays

    valid, lengths = arrays.valid_in(texts), arrays.lengths_of(texts)
    if _are_integers(texts, valid, lengths):
        return valid
    return arrays.flags_of(pc.match_substring_regex(texts, _PLAIN)) & (lengths <= MAX_DIGITS)


def _are_integers(texts: pa.Array[Any], valid: Mask, lengths: Ints) -> bool:
    """All are integers without separators, told faster than by a pattern: digits that begin with no idle zero."""
    from converters import arrays

    signs = arrays.bytes_of(texts)
    if not len(signs) or lengths.max() > MAX_DIGITS or signs.min() < ord("0") or signs.max() > ord("9"):
        return False
    zero_first = arrays.first_bytes_of(texts) == ord("0")
    return not (valid & ((lengths == 0) | (zero_first & (lengths > 1)))).any()
