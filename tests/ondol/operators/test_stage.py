"""The operator around a stage: what it hands to the stage, and what becomes of the stage's errors."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from ondol.manifest import Manifest
from ondol.operators.stage import StageOperator
from ondol.pipeline import open_lake


@dataclass
class Run:
    run_after: dt.datetime
    logical_date: dt.datetime | None
    data_interval_start: dt.datetime | None = None
    data_interval_end: dt.datetime | None = None


@pytest.fixture
def context() -> dict[str, Any]:
    day = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
    run = Run(day, day, day, day + dt.timedelta(days=1))
    return {"dag_run": run, "run_id": "manual__1", "params": {"force": False, "items": None}}


@pytest.fixture
def nara(home: Path, tenants: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with one file of tenant nara that arrived on the 5th."""
    monkeypatch.setenv("ONDOL_TENANTS", str(tenants))
    folder = home / "inbox/nara/2026-01-05"
    folder.mkdir(parents=True)
    (folder / "운임_20260105.csv").write_text("노선,운임\n서울-부산,3000\n서울-대구,2500\n")
    return tenants / "nara.yaml"


def operator(stage: str, inputs: Any = ()) -> StageOperator:
    return StageOperator(task_id=stage, tenant="nara", config_hash="0", inputs=inputs)


def test_stages_hand_on_uris_of_manifests_and_filter_one_for_each_batch(nara: Path, context: dict[str, Any]) -> None:
    crawled = operator("crawl").execute(context)
    mapped = operator("map", crawled).execute(context)
    batches = operator("filter", mapped).execute(context)
    assert isinstance(batches, list)
    assert len(batches) == 1
    converted = operator("convert", batches[0]).execute(context)
    tagged = operator("tag", converted).execute(context)
    loaded = operator("load", [tagged]).execute(context)
    manifest = Manifest.read(open_lake("nara"), str(loaded))
    assert manifest.run_key == "nara@2026-01-05"
    assert [entry.item for entry in manifest.entries] == ["fares"]


def test_the_configuration_error_of_a_file_edited_since_is_not_retried(nara: Path, context: dict[str, Any]) -> None:
    nara.write_text("tenant: nara\n")
    with pytest.raises(AirflowFailException, match=r"nara\.yaml:1"):
        operator("crawl").execute(context)


def test_any_other_error_is_left_to_airflows_retries(nara: Path, context: dict[str, Any]) -> None:
    lost = open_lake("nara").uri("manifests/lost.json")
    with pytest.raises(Exception, match="lost") as caught:
        operator("map", lost).execute(context)
    assert not isinstance(caught.value, AirflowFailException)


def test_airflows_openlineage_provider_is_told_what_a_stage_read_and_wrote(nara: Path, context: dict[str, Any]) -> None:
    from airflow.providers.openlineage.extractors.base import DefaultExtractor

    crawl = operator("crawl")
    crawl.execute(context)
    found = DefaultExtractor(crawl).extract_on_complete(None)
    assert found
    [read], [wrote] = found.inputs, found.outputs
    assert (read.namespace, read.name) == ("ondol://nara/share", "2026-01-05/운임_20260105.csv")
    assert wrote.name.endswith(wrote.facets["ondol_file"].sha256)
    assert found.run_facets["ondol"].runKey == "nara@2026-01-05"
