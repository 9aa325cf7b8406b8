"""The manifest: the list of files or tables that one stage hands to the next, kept in the lake as JSON.

Only its URI travels in XCom. The same inputs give the same bytes, so writing it again changes nothing.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Literal

from pydantic import BaseModel, ConfigDict

from ondol.lake.base import Lake

Stage = Literal["crawl", "map", "filter", "convert", "tag", "load", "transform", "sync"]
STAGES: tuple[Stage, ...] = ("crawl", "map", "filter", "convert", "tag", "load", "transform", "sync")


class Period(BaseModel):
    """The business date or range that a file speaks of; both ends included."""

    model_config = ConfigDict(frozen=True)

    start: dt.date
    end: dt.date

    def __str__(self) -> str:
        """2026-01-05, or 2026-01-01..2026-01-31."""
        return str(self.start) if self.start == self.end else f"{self.start}..{self.end}"


class Entry(BaseModel):
    """One raw file on its way through the stages; each stage fills in what it finds.

    Args:
        sha256: of the bytes: the raw file's name in the lake.
        name: the file's own name (NFC), as the customer wrote it.
        source / location: the source's id and where in it the file was found.
        arrived: when it came to the source (UTC): what makes a resend newer than what it corrects.
        item / period / part: what it is, what time it speaks of, and which part of that (map).
        force: process it though the same content was processed before.
        accept: the quarantine release that lets it pass in spite of a broken contract.
        tables: lake URI of the converted tables (convert).
        tidy: lake URI of the tidy table (tag).
        rows: rows of the tidy table (tag).
    """

    model_config = ConfigDict(frozen=True)

    sha256: str
    name: str
    size: int
    source: str
    location: str
    arrived: dt.datetime
    item: str | None = None
    period: Period | None = None
    part: str = ""
    force: bool = False
    accept: bool = False
    tables: str | None = None
    tidy: str | None = None
    rows: int | None = None

    @property
    def version(self) -> tuple[str, str, str]:
        """What orders the files of one slot; the greatest is current."""
        return version_of(self.arrived, self.name, self.sha256)


def version_of(arrived: dt.datetime, name: str, sha256: str) -> tuple[str, str, str]:
    """Arrival, then the name without its ending, so that "a 수정.xlsx" is newer than "a.xlsx"; then content."""
    return (arrived.astimezone(dt.UTC).isoformat(), name.rpartition(".")[0] or name, sha256)


class Manifest(BaseModel):
    """The files that a stage hands on, sorted, and its counts for people.

    Args:
        run_key: tenant + data interval.
        stage: the stage that wrote it.
        batch: number of the batch, where a stage is mapped over several.
        counts: what the stage did ({"process": 3, "duplicate": 1}).
        marts: what became of each mart (transform, sync).
    """

    tenant: str
    run_key: str
    stage: Stage
    batch: int = 0
    entries: list[Entry] = []
    counts: dict[str, int] = {}
    marts: dict[str, str] = {}

    def write(self, lake: Lake, run_id: str) -> str:
        """Store it and give its URI. `run_id` keeps two runs of one interval apart."""
        path = f"manifests/{self.run_key}/{run_id}/{self.stage}-{self.batch:04d}.json"
        body = json.dumps(self.model_dump(mode="json"), ensure_ascii=False, sort_keys=True, indent=1)
        return lake.put(path, body.encode())

    @classmethod
    def read(cls, lake: Lake, uri: str) -> Manifest:
        """The manifest at a URI that `write` gave."""
        return cls.model_validate_json(lake.get(uri))
