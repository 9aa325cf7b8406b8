"""Conversions in sandboxed worker processes of this machine."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ondol.conversion.base import File
from ondol.lake.base import Lake

if TYPE_CHECKING:
    from converters.options import Options


class LocalConverter:
    """As many workers at once as ONDOL_WORKERS says."""

    def __init__(self, lake: Lake, workers: int, address: str) -> None:
        self._lake = lake
        self._workers = workers

    def convert(self, files: Sequence[File], options: Options) -> None:
        """See Converter."""
        from converters.sandbox import convert_to_files

        jobs = [(self._lake.local(file.uri), file.name) for file in files]
        with tempfile.TemporaryDirectory(prefix="ondol-convert-") as folder:
            results = convert_to_files(jobs, folder, workers=self._workers, options=options)
            for file, result in zip(files, results, strict=True):
                self._lake.put(file.path, result.read_bytes())
                result.unlink()
