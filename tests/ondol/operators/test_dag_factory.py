"""DAGs from a folder of tenants' files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG

from ondol.operators import pools
from ondol.operators.dag_factory import tenant_dags

HASHES = """
import sys, warnings
warnings.simplefilter("ignore")
from pathlib import Path
from airflow.models.serialized_dag import SerializedDagModel
from ondol.operators.dag_factory import tenant_dags
from airflow.serialization.serialized_objects import DagSerialization
for dag_id, dag in sorted(tenant_dags(Path(sys.argv[1])).items()):
    print(dag_id, SerializedDagModel.hash(DagSerialization.to_dict(dag)))
"""


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def serialised(dag: DAG) -> dict[str, Any]:
    from airflow.serialization.serialized_objects import DagSerialization

    return dict(DagSerialization.to_dict(dag))


def hash_of(dag: DAG) -> str:
    from airflow.models.serialized_dag import SerializedDagModel

    return SerializedDagModel.hash(serialised(dag))


def test_a_tenant_is_a_dag_of_eight_tasks_in_a_row_with_batches_in_convert_and_tag(tenants: Path) -> None:
    dag = tenant_dags(tenants)["nara"]
    tasks = [task.task_id for task in dag.topological_sort()]
    assert tasks == ["crawl", "map", "filter", "convert", "tag", "load", "transform", "sync"]
    assert [t.task_id for t in dag.tasks if t.is_mapped] == ["convert", "tag"]
    for before, after in pairwise(tasks):
        assert dag.get_task(before).downstream_task_ids == {after}


def test_a_tenant_has_a_pool_of_its_own_and_its_trades_tag(tenants: Path) -> None:
    dag = tenant_dags(tenants)["nara"]
    assert {task.pool for task in dag.tasks} == {"nara"}
    assert set(dag.tags) == {"logistics"}
    assert not dag.catchup


def test_the_hash_of_the_configuration_is_in_every_task_of_the_serialised_dag(tenants: Path) -> None:
    from ondol.config.loader import config_hash, load_tenant

    digest = config_hash(load_tenant(tenants / "nara.yaml"))
    tasks = serialised(tenant_dags(tenants)["nara"])["dag"]["tasks"]
    assert [digest in json.dumps(task) for task in tasks] == [True] * 8


def test_any_edit_of_the_yaml_makes_a_new_version_and_a_comment_does_not(tenants: Path) -> None:
    before = hash_of(tenant_dags(tenants)["nara"])
    path = tenants / "nara.yaml"
    path.write_text("# a comment\n" + path.read_text())
    assert hash_of(tenant_dags(tenants)["nara"]) == before
    edit(path, "required: true", "required: false")
    edited = hash_of(tenant_dags(tenants)["nara"])
    assert edited != before


def test_the_same_files_give_the_same_dags_in_any_process(tenants: Path) -> None:
    seen = set()
    for seed in ("0", "1"):
        env = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", HASHES, str(tenants)], env=env, capture_output=True, text=True, check=True
        )
        seen.add(tuple(line for line in done.stdout.splitlines() if line.startswith(("nara ", "hudson "))))
    [hashes] = seen
    assert len(hashes) == 2


def test_a_trigger_may_name_only_the_tenants_own_items(tenants: Path) -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    params = DagSerialization.from_dict(serialised(tenant_dags(tenants)["nara"])).params
    assert params.dump() == {"force": False, "items": []}
    for right in ({"items": ["fares"], "force": True}, {"items": None}):
        params.deep_merge(right).validate()
    for wrong in ({"items": ["payroll"]}, {"items": "fares"}, {"force": "yes"}):
        with pytest.raises(ValueError, match="Invalid input"):
            params.deep_merge(wrong).validate()


def test_a_broken_tenant_is_a_dag_that_shows_and_fails_with_the_message_and_the_others_go_on(tenants: Path) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    edit(tenants / "nara.yaml", "type: folder", "type: foldr")
    dags = tenant_dags(tenants)
    assert sorted(dags) == ["hudson", "nara"]
    assert len(dags["hudson"].tasks) == 8
    broken = dags["nara"]
    assert set(broken.tags) == {"config-error"}
    assert "nara.yaml:7" in (broken.doc_md or "")
    assert "folder" in (broken.doc_md or "")
    [task] = broken.tasks
    with pytest.raises(AirflowFailException, match=r"nara\.yaml:7: .*foldr"):
        task.execute({})


@pytest.mark.parametrize(
    "name",
    [
        "x..__passwd",
        "a b; DROP TABLE x",
        "한빛 마트",
        "N" * 200,
        "x\ny",
        "<img src=x>",
        "'\"`{{ 1 }}",
    ],
)
@pytest.mark.parametrize("content", ["", "tenant: [", "\x00", "tenant: nara\n", "&a [*a]", "- 1"])
def test_no_file_name_and_no_content_harms_the_others(tenants: Path, name: str, content: str) -> None:
    (tenants / f"{name}.yaml").write_text(content)
    dags = tenant_dags(tenants)
    assert len(dags) == 3
    assert len(dags["nara"].tasks) == len(dags["hudson"].tasks) == 8
    for dag in dags.values():
        serialised(dag)


def test_a_broken_file_never_takes_another_tenants_place(tenants: Path) -> None:
    (tenants / "Nara.yaml").write_text("tenant: nara\n")
    (tenants / "na-ra.yaml").write_text("tenant: na_ra\n")
    (tenants / "na ra.yaml").write_text("tenant: na_ra\n")
    dags = tenant_dags(tenants)
    assert len(dags) == 5
    assert len(dags["hudson"].tasks) == 8


def test_a_worker_builds_only_the_dag_of_its_task_and_reads_no_other_file(
    tenants: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ondol.operators import dag_factory

    monkeypatch.setattr(dag_factory, "load_all", None)
    assert list(tenant_dags(tenants, only="nara")) == ["nara"]
    edit(tenants / "nara.yaml", "type: folder", "type: foldr")
    assert set(tenant_dags(tenants, only="nara")["nara"].tags) == {"config-error"}


def test_a_worker_finds_a_broken_file_whose_dag_is_called_otherwise(tenants: Path) -> None:
    (tenants / "han-bit.yaml").write_text("")
    [dag_id] = tenant_dags(tenants).keys() - {"nara", "hudson"}
    assert list(tenant_dags(tenants, only=dag_id)) == [dag_id]


def test_no_other_tenant_is_named_in_a_tenants_dag(tenants: Path) -> None:
    assert "hudson" not in json.dumps(serialised(tenant_dags(tenants)["nara"]))


def test_there_is_a_pool_for_each_tenants_file(tenants: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tenants / "_schema.json").write_text("{}")
    monkeypatch.setenv("ONDOL_TENANTS", str(tenants))
    assert pools.tenants() == ["hudson", "nara"]
