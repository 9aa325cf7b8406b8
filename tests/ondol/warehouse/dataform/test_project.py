"""The compiled project: what a tenant's is, what is wrong with it, and that the compiler starts only when it must."""

from __future__ import annotations

import json

import pytest

from ondol.config.tenant import Transform
from ondol.errors import FatalError
from ondol.warehouse.dataform import toolchain
from ondol.warehouse.dataform.project import compile_project


def test_each_action_comes_after_what_it_needs(project, cache):
    actions = compile_project(project, "shop", "hanbit", cache).actions
    seen = set()
    for action in actions:
        assert set(action.needs) <= seen
        seen.add(action.target)
    assert {action.name for action in actions} >= {"daily", "running", "monthly", "calendar", "sales", "log"}


def test_the_schema_and_the_variable_are_the_tenants(project, cache):
    daily = compile_project(project, "shop", "hanbit", cache).by_target["hanbit", "daily"]
    assert "'hanbit' AS tenant" in daily.queries[0]
    assert "`ondol.hanbit.sales`" in daily.queries[0]
    assert dict(daily.columns) == {"amount": "the day's sales, won, of every 'open' store"}


def test_other_models_mistakes_and_names_are_not_this_tenants(project, cache):
    """definitions/bad does not compile and definitions/other has a daily of its own."""
    daily = compile_project(project, "shop", "hanbit", cache).by_target["hanbit", "daily"]
    assert daily.file == "definitions/shop/daily.sqlx"


def test_the_same_files_start_no_compiler_and_changed_ones_do(project, cache, monkeypatch):
    first = compile_project(project, "shop", "hanbit", cache)
    monkeypatch.setattr(toolchain, "node", lambda: pytest.fail("Node was started"))
    assert compile_project(project, "shop", "hanbit", cache) == first
    monkeypatch.undo()
    (project / "includes" / "money.js").write_text("module.exports = { thousands: (c) => `${c} / 1000` };")
    changed = compile_project(project, "shop", "hanbit", cache)
    assert changed.hash != first.hash
    assert "SUM(amount) / 1000 AS amount_thousand" in changed.by_target["hanbit", "daily"].queries[0]


def test_a_half_written_cache_is_compiled_anew(project, cache):
    good = compile_project(project, "shop", "hanbit", cache)
    (cache / "hanbit.json").write_text(json.dumps({"hash": good.hash})[:20])
    assert compile_project(project, "shop", "hanbit", cache) == good


def test_an_error_names_the_file_and_the_line(project, cache):
    with pytest.raises(FatalError, match=r"tenants/dataform/definitions/bad/mistake\.sqlx:3: missing_function is not"):
        compile_project(project, "bad", "hanbit", cache)


def test_a_reference_to_nothing_names_the_file_and_the_line(project, cache):
    broken = project / "definitions" / "shop" / "broken.sqlx"
    broken.write_text('config { type: "view" }\n\n\nSELECT * FROM ${ref("dialy")}\n')
    with pytest.raises(FatalError, match=r"definitions/shop/broken\.sqlx:4: Missing dependency.*dialy"):
        compile_project(project, "shop", "hanbit", cache)


def test_models_that_are_not_there_are_named_with_those_that_are(project, cache):
    with pytest.raises(
        FatalError, match=r"transform.models is 'shpo', but .* has the folders \['bad', 'other', 'shop'\]"
    ):
        compile_project(project, "shpo", "hanbit", cache)


def test_without_the_compiler_the_remedy_is_said(project, cache):
    (project / "node_modules").unlink()
    with pytest.raises(FatalError, match="run 'make install'"):
        compile_project(project, "shop", "hanbit", cache)


def test_installing_what_is_installed_starts_no_npm(compiler, monkeypatch):
    monkeypatch.setattr(toolchain, "node", lambda: pytest.fail("Node was started"))
    toolchain.install(compiler.parent)


def test_a_tenants_variables_reach_models_that_tenants_share(project, cache):
    (project / "definitions/common/rates.sqlx").write_text(
        "config { type: 'table' }\nSELECT NUMERIC '${dataform.projectConfig.vars.vat}' AS vat"
    )
    (project / "definitions/shop/taxed.sqlx").write_text("config { type: 'view' }\nSELECT vat FROM ${ref('rates')}")
    made = [
        compile_project(project, Transform(models="shop", vars={"vat": vat}), "hanbit", cache) for vat in ("0.1", "0.2")
    ]
    assert ["0.1" in made[0].by_target["hanbit", "rates"].queries[0], made[0].hash != made[1].hash] == [True, True]


def test_tags_choose_models_with_what_they_need_and_what_is_stated_about_them(project, cache):
    tagged = compile_project(project, Transform(models="shop", tags=("daily",)), "hanbit", cache)
    names = {action.name for action in tagged.actions}
    assert {"daily", "sales"} <= names
    assert any("uniqueKey" in name for name in names)
    assert not names & {"monthly", "running", "log"}
    with pytest.raises(
        FatalError, match=r"transform\.tags is \['dialy'\], but the models .* have the tags \['daily'\]"
    ):
        compile_project(project, Transform(models="shop", tags=("dialy",)), "hanbit", cache)
