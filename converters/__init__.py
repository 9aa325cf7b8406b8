"""The unified converter: any business file in, typed and traceable tables out.

    from converters import convert
    for table in convert("매출일보.xlsx").tables: ...

Importing this package costs nothing: each name is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from converters.model import CONVERTER_VERSION

if TYPE_CHECKING:
    from converters.api import convert, sample_text
    from converters.options import Limits, Options

VERSION = str(CONVERTER_VERSION)
"""Results of one version are the same for the same bytes and name: a key for caches."""

__all__ = ["VERSION", "Limits", "Options", "convert", "sample_text"]

_HOME = {"convert": "api", "sample_text": "api", "Limits": "options", "Options": "options"}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'converters' has no attribute {name!r}")
    return getattr(import_module(f"converters.{_HOME[name]}"), name)
