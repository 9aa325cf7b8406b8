"""Conversions by the converter's job, which reads and writes the lake itself."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ondol.conversion.base import File
from ondol.errors import FatalError, RetriableError
from ondol.lake.base import Lake

if TYPE_CHECKING:
    from converters.options import Options


class JobConverter:
    """`python -m converters.job` as a process of this machine. Passwords go to its stdin."""

    def __init__(self, lake: Lake, workers: int, address: str) -> None:
        self._lake = lake
        self._workers = workers

    def convert(self, files: Sequence[File], options: Options) -> None:
        """See Converter."""
        if not files:
            return
        lines = [json.dumps({"uri": f.uri, "name": f.name, "sha256": f.sha256}, ensure_ascii=False) for f in files]
        body = "".join(f"{line}\n" for line in lines).encode()
        manifest = self._lake.put(f"conversions/{hashlib.sha256(body).hexdigest()[:16]}.jsonl", body)
        command = [sys.executable, "-m", "converters.job", manifest, self._lake.uri("tables")]
        command += ["--workers", str(self._workers), "--passwords", "-"]
        done = subprocess.run(
            command, input="\n".join(options.passwords), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        if done.returncode:
            said = "; ".join(done.stderr.strip().splitlines()[-3:])[-1000:]
            kind = FatalError if done.returncode == 2 else RetriableError
            raise kind(f"the converter's job on {manifest} ended with exit code {done.returncode}: {said}")
