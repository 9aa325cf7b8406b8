"""Globs over paths with slashes, alike for every source: * stays within one name, **/ stands for any depth."""

from __future__ import annotations

import re
from collections.abc import Callable


def matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a path below the source's root fits a pattern such as "**/*.xlsx", "in/*" or "매출_????.csv"."""
    fits = re.compile("".join(map(_translated, re.split(r"(\*\*/|\*\*|\*|\?|\[!?[^\]]+\])", pattern))), re.DOTALL)
    return lambda path: fits.fullmatch(path) is not None


def fixed_head(pattern: str) -> str:
    """The folders that all paths of a pattern begin with: "2026/in/*.csv" → "2026/in/"."""
    return re.split(r"[*?\[]", pattern)[0].rpartition("/")[0] + "/" if "/" in re.split(r"[*?\[]", pattern)[0] else ""


def deep(pattern: str) -> bool:
    """Whether a pattern may fit something in a folder below its fixed head."""
    return "/" in pattern.removeprefix(fixed_head(pattern)) or "**" in pattern


def _translated(part: str) -> str:
    if part.startswith("[") and part.endswith("]") and len(part) > 2:
        inner = part[1:-1].replace("\\", r"\\")
        return f"[^{inner[1:]}]" if inner.startswith("!") else f"[{inner}]"
    return {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(part) or re.escape(part)
