from __future__ import annotations

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization

from ondol.operators.dag_factory import tenant_dags
from ondol.settings import PROJECT


def bag_of(file: str) -> DagBag:
    return DagBag(PROJECT / "dags" / file)


def serialised(dag) -> dict:
    return DagSerialization.to_dict(dag)


def test_every_tenant_has_a_dag_called_as_it_is(add_tenant):
    for name in ("hanbit", "daeyang", "saeum"):
        add_tenant(name)
    bag = bag_of("tenants.py")
    assert (sorted(bag.dags), bag.import_errors) == (["daeyang", "hanbit", "saeum"], {})


def test_a_tenant_without_a_schedule_runs_only_when_triggered(tenants, add_tenant):
    add_tenant("hanbit", schedule="null")
    assert tenant_dags(tenants)["hanbit"].timetable.can_be_scheduled is False


def test_a_broken_tenant_shows_its_error_in_a_dag_of_its_own(tenants, add_tenant):
    add_tenant("hanbit", "tenant: hanbit\nname: x\nschedule: never\n")
    bag = bag_of("tenants.py")
    dag = bag.dags["hanbit"]
    assert bag.import_errors == {}
    assert dag.tags == {"config-error"}
    assert [task.task_id for task in dag.tasks] == ["config"]
    assert "hanbit.yaml:3" in dag.task_dict["config"].message


def test_a_broken_tenant_harms_no_other(tenants, add_tenant):
    add_tenant("hanbit")
    alone = serialised(bag_of("tenants.py").dags["hanbit"])
    add_tenant("aaa", "]: not YAML")
    add_tenant("zzz", "tenant: hanbit\n")
    bag = bag_of("tenants.py")
    assert bag.import_errors == {}
    assert serialised(bag.dags["hanbit"]) == alone
    assert {name for name, dag in bag.dags.items() if "config-error" in dag.tags} == {"aaa", "zzz"}


def test_a_broken_tenants_file_is_named_on_the_import_banner(add_tenant):
    add_tenant("hanbit")
    add_tenant("daeyang", "tenant: daeyang\n")
    bag = bag_of("_config_check.py")
    assert bag.dags == {}
    assert "daeyang.yaml:1" in next(iter(bag.import_errors.values()))


def test_the_import_banner_is_empty_while_all_tenants_are_right(add_tenant):
    add_tenant("hanbit")
    assert bag_of("_config_check.py").import_errors == {}


@pytest.mark.parametrize("name", ["../hanbit", "no such", "hanbit/../hanbit"])
def test_a_dag_id_that_no_tenant_has_gives_no_dag(tenants, add_tenant, name):
    add_tenant("hanbit")
    assert tenant_dags(tenants, only=name) == {}
