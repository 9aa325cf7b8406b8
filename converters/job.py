"""Many files in one go: a manifest in, a result for each file out; as tasks of a Cloud Run job, or on any machine.

    python -m converters.job MANIFEST_URI OUT_URI [--passwords FILE] [--workers N]

The manifest has a JSON object a line: {"uri": …, "name": …, "sha256": …}. Both URIs, and those in it, are file:/// or
gs:// ones. The result of a file goes to OUT_URI/<key> (cache.key), as converters.storage writes it, and what became of
all files to OUT_URI/summary/<manifest>-<task>-of-<tasks>.jsonl, a line each.

Tasks share the work (CLOUD_RUN_TASK_INDEX, CLOUD_RUN_TASK_COUNT): files of one content go to one task. A task may be
stopped or killed at any time and started again: results appear whole or not at all, and one that is there is not made
again, but for quarantined files, which are tried anew.

Passwords, one a line, come from a file (a mounted secret) or, with `-`, from stdin; never from arguments or variables.

Exit code 0 when each file has a result, also where that is quarantine; 1 when some file could not be had, which its
line says; 2 when the job as a whole cannot work; 143 when it was told to stop.
"""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from converters import cache, sandbox, storage
from converters.lakes import LakeError, Lakes, copy
from converters.options import Options

log = logging.getLogger("converters.job")
WINDOW = 8
"""Files fetched ahead, for each worker."""


class Wanted(BaseModel):
    """A line of the manifest: one file to convert."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    uri: str = Field(min_length=1)
    name: str = Field(min_length=1)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


@dataclass(frozen=True, slots=True)
class Task:
    """Which share of the work is this process's own."""

    index: int = 0
    count: int = 1

    @classmethod
    def of_environment(cls) -> Task:
        """As Cloud Run tells its tasks. ValueError where that makes no sense."""
        task = cls(int(os.environ.get("CLOUD_RUN_TASK_INDEX", "0")), int(os.environ.get("CLOUD_RUN_TASK_COUNT", "1")))
        if not 0 <= task.index < task.count:
            raise ValueError(f"CLOUD_RUN_TASK_INDEX is {task.index}, CLOUD_RUN_TASK_COUNT is {task.count}")
        return task

    def takes(self, wanted: Wanted) -> bool:
        """Whether a file is this task's: decided by its content alone."""
        return int(wanted.sha256[:16], 16) % self.count == self.index


class Unfit(Exception):
    """A manifest that is none."""


def run(manifest: str, out: str, *, task: Task, options: Options, workers: int) -> list[dict[str, Any]]:
    """Convert this task's share of a manifest; the lines of its summary, which is also written.

    Raises:
        LakeError: the manifest or the place for results cannot be used.
        Unfit: a line of the manifest is wrong.
    """
    digest, share = _read(manifest, task)
    kept = cache.Cache(out)
    key_of = cache.keys(options)
    keyed = {key_of(wanted.sha256, wanted.name): wanted for wanted in share}
    made: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(prefix="converter-") as folder:
        scratch = Path(folder)
        missing = _missing(kept, keyed, scratch / "kept", made)
        while window := dict(itertools.islice(missing, WINDOW * workers)):
            _convert(kept, window, scratch, options, workers, made)
        lines = [{**wanted.model_dump(), **made[key_of(wanted.sha256, wanted.name)]} for wanted in share]
        summary = scratch / "summary"
        summary.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
        kept.put(f"summary/{digest[:16]}-{task.index:05}-of-{task.count:05}.jsonl", summary)
    return lines


def _read(manifest: str, task: Task) -> tuple[str, list[Wanted]]:
    """The manifest's SHA-256, and this task's lines of it."""
    share: list[Wanted] = []
    with tempfile.TemporaryFile() as local:
        with Lakes([manifest.rpartition("/")[0] or "/"]).open(manifest) as stream:
            digest, _ = copy(stream, local)
        local.seek(0)
        for number, line in enumerate(local, 1):
            try:
                wanted = Wanted.model_validate_json(line)
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join(map(str, first["loc"])) or "it"
                raise Unfit(f"{manifest}:{number}: {where}: {first['msg']}. Each line is uri, name, sha256.") from None
            if task.takes(wanted):
                share.append(wanted)
    return digest, share


def _missing(
    kept: cache.Cache, keyed: dict[str, Wanted], scratch: Path, made: dict[str, dict[str, Any]]
) -> Iterator[tuple[str, Wanted]]:
    """The files that have no result yet; of the others, notes what became of them."""
    for key, wanted in keyed.items():
        if _is_kept(kept, key, scratch):
            made[key] = _told(kept, key, scratch)
        else:
            yield key, wanted


def _is_kept(kept: cache.Cache, key: str, scratch: Path) -> bool:
    try:
        return kept.fetch(key, scratch)
    except ValueError:  # of another layout, or damaged: it is made anew
        return False


def _convert(
    kept: cache.Cache,
    window: dict[str, Wanted],
    scratch: Path,
    options: Options,
    workers: int,
    made: dict[str, dict[str, Any]],
) -> None:
    """Fetch some files, convert them, keep the results."""
    there: dict[str, Path] = {}
    for number, (key, wanted) in enumerate(window.items()):
        path = scratch / f"raw-{number}"
        if error := _fetch(wanted, path):
            made[key] = {"state": None, "error": error}
            log.error("%s", json.dumps({"event": "failed", **wanted.model_dump(), "error": error}, ensure_ascii=False))
        else:
            there[key] = path
    jobs: Sequence[sandbox.Job] = [(path, window[key].name) for key, path in there.items()]
    results = sandbox.convert_to_files(jobs, scratch, workers=workers, options=options)
    for key, result in zip(there, results, strict=True):
        kept.put(key, result)
        made[key] = _told(kept, key, result)
        result.unlink()
        there[key].unlink()


def _fetch(wanted: Wanted, path: Path) -> str:
    """Brings a file here; what is wrong, if that fails."""
    try:
        with Lakes([wanted.uri.rpartition("/")[0]]).open(wanted.uri) as source, path.open("wb") as target:
            sha256, _ = copy(source, target)
    except LakeError as error:
        return str(error)
    if sha256 != wanted.sha256:
        return f"{wanted.uri} has the SHA-256 {sha256}, not that of the manifest: write the manifest anew."
    return ""


def _told(kept: cache.Cache, key: str, result: Path) -> dict[str, Any]:
    summary = storage.summary(result)
    told = {
        "state": summary.state,
        "format": summary.format,
        "tables": len(summary.tables),
        "problems": [problem.code for problem in summary.problems],
        "result": kept.uri(key),
    }
    log.info("%s", json.dumps({"event": "file", "sha256": summary.sha256, **told}, ensure_ascii=False))
    return told


def main(arguments: list[str] | None = None) -> int:
    """One task of a job; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m converters.job", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("manifest", metavar="MANIFEST_URI")
    parser.add_argument("out", metavar="OUT_URI")
    parser.add_argument("--passwords", metavar="FILE", help="passwords, one a line; - for stdin")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        options = Options(passwords=tuple(_passwords(chosen.passwords)))
        task = Task.of_environment()
        lines = run(chosen.manifest, chosen.out, task=task, options=options, workers=max(1, chosen.workers))
    except (LakeError, Unfit, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    return int(any(line["state"] is None for line in lines))


def _passwords(source: str | None) -> Iterable[str]:
    if source is None:
        return []
    text = sys.stdin.read() if source == "-" else Path(source).read_text("utf-8")
    return filter(None, (line.rstrip("\r") for line in text.split("\n")))


def _stop(number: int, _: object) -> None:
    """Leaves at once: what is done is kept, and what is in hand will be done by who comes after."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _stop)
    sys.exit(main())
