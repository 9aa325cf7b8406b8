"""What OpenLineage is told of a run: real events, through its own client, into a file."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ondol.errors import OndolError
from ondol.pipeline import run
from tests.ondol.snapshot import inbox

URI = {"type": "string", "pattern": "^(https?://|urn:)"}
FACETS = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "required": ["_producer", "_schemaURL"],
        "properties": {"_producer": URI, "_schemaURL": URI},
    },
}
DATASETS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["namespace", "name"],
        "properties": {"facets": FACETS, "inputFacets": FACETS, "outputFacets": FACETS},
    },
}
EVENT = {  # RunEvent of the specification 2-0-2
    "type": "object",
    "required": ["eventTime", "producer", "schemaURL", "run", "job"],
    "properties": {
        "eventTime": {"type": "string", "format": "date-time"},
        "eventType": {"enum": ["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"]},
        "producer": URI,
        "schemaURL": URI,
        "run": {
            "type": "object",
            "required": ["runId"],
            "properties": {"runId": {"type": "string", "format": "uuid"}, "facets": FACETS},
        },
        "job": {
            "type": "object",
            "required": ["namespace", "name"],
            "properties": {"namespace": {"type": "string"}, "name": {"type": "string"}, "facets": FACETS},
        },
        "inputs": DATASETS,
        "outputs": DATASETS,
    },
}


@pytest.fixture
def told(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the events go, one a line."""
    file = home / "events.jsonl"
    for name, value in {"TYPE": "file", "LOG_FILE_PATH": file, "APPEND": "true"}.items():
        monkeypatch.setenv(f"OPENLINEAGE__TRANSPORT__{name}", str(value))
    return file


def events(file: Path) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in file.read_text().splitlines()]
    for event in found:
        jsonschema.validate(event, EVENT, format_checker=jsonschema.FormatChecker())
    return found


def test_each_stage_tells_what_it_read_and_wrote(home: Path, told: Path) -> None:
    inbox(home)
    run("hanbit", dt.date(2026, 1, 5))
    done = {e["job"]["name"]: e for e in events(told) if e["eventType"] == "COMPLETE"}
    assert list(done) == [
        f"hanbit.{stage}" for stage in ("crawl", "map", "filter", "convert", "tag", "load", "transform", "sync")
    ]
    load = done["hanbit.load"]
    (sales,) = [d for d in load["outputs"] if d["name"].endswith(":hanbit.daily_sales")]
    assert sales["outputFacets"]["outputStatistics"]["rowCount"] > 0
    assert {"name": "net_amount", "type": "decimal128(38, 9)"} in [
        {"name": f["name"], "type": f["type"]} for f in sales["facets"]["schema"]["fields"]
    ]
    file = next(d["facets"]["ondol_file"] for d in load["inputs"] if d["facets"]["ondol_file"]["item"] == "daily_sales")
    assert (file["period"], len(file["sha256"])) == ("2026-01-05", 64)
    assert load["run"]["facets"]["ondol"]["runKey"] == "hanbit@2026-01-05"
    assert load["run"]["facets"]["parent"]["job"]["name"] == "hanbit"


def test_what_one_stage_writes_the_next_one_reads(home: Path, told: Path) -> None:
    inbox(home)
    run("hanbit", dt.date(2026, 1, 5))
    done = {e["job"]["name"].partition(".")[2]: e for e in events(told) if e["eventType"] == "COMPLETE"}

    def names(stage: str, side: str) -> set[str]:
        return {f"{d['namespace']} {d['name']}" for d in done[stage][side]}

    for writer, reader in (("crawl", "convert"), ("convert", "tag"), ("tag", "load"), ("load", "transform")):
        assert names(reader, "inputs") & names(writer, "outputs"), reader
    assert names("sync", "inputs") <= names("transform", "outputs")
    assert all("postgres://" in name for name in names("sync", "outputs"))


def test_a_stage_that_fails_tells_why(home: Path, told: Path) -> None:
    with pytest.raises(OndolError):
        run("hanbit", dt.date(2026, 1, 5), first="load", last="load")
    (home / "inbox").write_text("no folder")
    with pytest.raises(Exception, match="inbox"):
        run("hanbit", dt.date(2026, 1, 5))
    (failed,) = [e for e in events(told) if e["eventType"] == "FAIL"]
    assert failed["job"]["name"] == "hanbit.crawl"
    assert "inbox" in failed["run"]["facets"]["errorMessage"]["message"]


def test_a_backend_that_does_not_answer_stops_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__TYPE", "file")
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__LOG_FILE_PATH", "/proc/nowhere/events")
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__APPEND", "true")
    inbox(home)
    assert run("hanbit", dt.date(2026, 1, 5)).counts["load"]["loaded"] > 0
