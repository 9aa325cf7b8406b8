from __future__ import annotations

import shutil
from pathlib import Path

from ondol.settings import PROJECT


def test_right_tenants_end_with_zero(ondol):
    said = ondol("check")
    assert (said.code, said.out) == (0, "1 tenant, all right\n")


def test_every_problem_is_one_line_that_an_editor_can_follow(ondol, place):
    path = place / "tenants" / "daeyang.yaml"
    path.write_text(
        (place / "tenants" / "hanbit.yaml").read_text().replace("tenant: hanbit", "tenant: daeyang\ndue: 1 dya")
    )
    said = ondol("check")
    assert said.code == 1
    assert said.out.splitlines()[0].startswith(f"{path}:2: there is no key 'due'")
    assert said.out.splitlines()[-1] == "2 tenants, 1 broken"


def test_problems_are_data_under_json(ondol, place):
    path = place / "tenants" / "hanbit.yaml"
    path.write_text(path.read_text().replace("type: folder", "type: foldr"))
    said = ondol("check", path, "--json")
    assert said.code == 1
    (problem,) = said.json["problems"]
    assert (problem["line"], problem["field"], problem["got"], problem["hint"]) == (
        4,
        "sources[0].type",
        "foldr",
        "folder",
    )


def test_models_that_are_not_in_the_project_are_a_problem(ondol, place):
    _dataform(place / "tenants")
    retail = place / "tenants/dataform/definitions/retail"
    shutil.rmtree(retail)
    retail.mkdir()
    (retail / "sales.sqlx").write_text('config { type: "declaration", name: "sales" }')
    path = place / "tenants" / "hanbit.yaml"
    path.write_text(path.read_text() + "transform:\n  models: retial\n")
    said = ondol("check")
    assert said.code == 1
    assert f"{path}:15: transform.models is 'retial'" in said.out
    assert "Did you mean 'retail'?" in said.out
    path.write_text(path.read_text().replace("retial", "retail"))
    assert ondol("check").code == 0


def test_a_path_that_is_not_there_is_told(ondol):
    said = ondol("check", "gone.yaml")
    assert (said.code, "cannot be read" in said.out) == (1, True)


def test_a_tenant_may_be_named_by_its_id(ondol):
    assert ondol("check", "hanbit").code == 0


def test_a_wrong_column_in_a_model_and_a_mart_that_nothing_makes_are_found_before_any_run(ondol, home, monkeypatch):
    tenants = home / "firms"
    tenants.mkdir()
    shutil.copy(PROJECT / "tenants/hanbit.yaml", tenants)
    _dataform(tenants)
    monkeypatch.setenv("ONDOL_TENANTS", str(tenants))
    assert ondol("check", "hanbit").code == 0
    for file, right, wrong in (
        ("hanbit.yaml", "table: store_sales_daily", "table: store_sale_daily"),
        ("dataform/definitions/retail/store_sales_daily.sqlx", "SUM(net_amount)", "SUM(nett_amount)"),
    ):
        text = (tenants / file).read_text()
        assert right in text
        (tenants / file).write_text(text.replace(right, wrong))
    said = ondol("check", "hanbit")
    assert said.code == 1
    assert "store_sales_daily.sqlx:" in said.out
    assert "nett_amount" in said.out
    assert "no model of 'retail' makes 'store_sale_daily'" in said.out


def _dataform(tenants: Path) -> None:
    """The project's models and Dataform beside a folder's tenants."""
    project = PROJECT / "tenants/dataform"
    shutil.copytree(project, tenants / "dataform", ignore=shutil.ignore_patterns("node_modules"))
    (tenants / "dataform/node_modules").symlink_to(project / "node_modules")
