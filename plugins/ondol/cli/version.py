"""`ondol version`."""

from __future__ import annotations

from ondol.cli.output import AsJson, emit, fields


def version(as_json: AsJson = False) -> None:
    """Show the versions of Ondol and what it runs on."""
    import platform
    from importlib import metadata

    from converters.model import CONVERTER_VERSION

    parts = ("apache-airflow", "duckdb", "pyarrow", "pydantic")
    found = {
        "ondol": metadata.version("ondol"),
        "converter": str(CONVERTER_VERSION),
        "python": platform.python_version(),
    }
    found |= {part: metadata.version(part) for part in parts}
    emit(found) if as_json else fields(found)
