from __future__ import annotations

import os
import subprocess
import sys
import time
import unicodedata
from pathlib import Path

import pytest

from ondol.config.loader import config_hash, find_tenant, load_all, load_tenant, rules_hash
from ondol.errors import ConfigError, Problem


def problems(path: Path) -> list[Problem]:
    with pytest.raises(ConfigError) as caught:
        load_tenant(path)
    assert str(caught.value).splitlines() == [str(p) for p in caught.value.problems]
    return list(caught.value.problems)


def test_a_good_file_gives_its_tenant(write, good):
    tenant = load_tenant(write(good))
    assert tenant.name == "한빛마트"
    assert tenant.timezone == "Asia/Seoul"
    assert tenant.item("monthly_target").tag.unpivot.over == "*월"


def test_codes_with_leading_zeros_and_yaml_1_1_words_stay_as_written(write, good):
    codes = "{0012: 강남, 010: 0034, no: off, 12:30: y}"
    tenant = load_tenant(
        write(good.replace("지점코드, required: true}\n      unpivot", f"코드, codes: {codes}}}\n      unpivot"))
    )
    assert tenant.items[1].tag.columns["store_code"].codes == {"0012": "강남", "010": "0034", "no": "off", "12:30": "y"}


def test_decomposed_hangul_is_read_composed(write, good):
    tenant = load_tenant(write(unicodedata.normalize("NFD", good)))
    assert tenant.items[0].match.name == "매출_{yyyymmdd}*.csv"


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "hint"),
    [
        ("due: 2 weeks", "due: 2 wekes", 20, "items[1].due", "2 weeks"),
        ("due: 2 weeks", "due: -1 day", 20, "items[1].due", "1 day"),
        ("grain: year", "grain: yearly", 19, "items[1].grain", "year"),
        ("    grain: year", "    grian: year", 19, "items[1].grian", "grain"),
        ("type: folder", "type: foldr", 5, "sources[0].type", "folder"),
        ("{date}", "{dat}", 6, "sources[0].path", "inbox/hanbit/{date}"),
        ("inbox/hanbit", "../../etc", 6, "sources[0].path", None),
        ("{yyyymmdd}", "{yyyymdd}", 9, "items[0].match.name", "매출_{yyyymmdd}*.csv"),
        ("{yyyymmdd}", "{yyyymmdd", 9, "items[0].match.name", None),
        ("{yyyymmdd}*", "{yyyymm}*", 9, "items[0].match", None),
        ("name: 한빛마트", "name: 한빛마트\ntimezone: KST", 3, "timezone", "Asia/Seoul"),
        ("name: 한빛마트", "name: 한빛마트\nschedule: 0 25 * * *", 3, "schedule", None),
        ("name: 한빛마트", "name: 한빛마트\nstart: 2026-02-30", 3, "start", None),
        ("name: 한빛마트", "name:", 2, "name", None),
        ("name: 한빛마트", "nmae: 한빛마트", 2, "nmae", "name"),
        ("type: date}", "type: dat}", 13, "items[0].tag.columns.sale_date.type", "date"),
        ("from: period", "form: period", 13, "items[0].tag.columns.sale_date.form", "from"),
        ("from: period", "source: period", 13, "items[0].tag.columns.sale_date.source", None),
        ("sale_date: {", "일자: {", 13, "items[0].tag.columns", "date"),
        ("[금액, 매출액]", "12", 15, "items[0].tag.columns.amount.from", "12"),
        ("min: 0", "min: none", 15, "items[0].tag.columns.amount.min", None),
        ("min: 0", "min: 2, max: 1", 15, "items[0].tag.columns.amount", None),
        ("min: 0", "pattern: '('", 15, "items[0].tag.columns.amount", None),
        ("[sale_date, store_code]", "[sale_date, shop]", 11, "items[0].tag", None),
        ("unique: [sale_date, store_code]", "unique: sale_date", 16, "items[0].tag.unique", "[sale_date]"),
        ("table: mart_store", "table: store_sales", 28, "sync[0].table", None),
        ("transform: {models: retail}\n", "", 26, "sync", None),
        ("key: [store_code]", "key: []", 28, "sync[0].key", None),
        ("table: monthly_target", "table: select", 21, "items[1].table", "select_co"),
        (
            "table: monthly_target",
            "table: monthly_target\n    load: {cluster: [store_cod]}",
            22,
            "items[1].load.cluster[0]",
            "store_code",
        ),
        ("name: 한빛마트", "name: 한빛마트\nlake: s3://bucket", 3, "lake", None),
        ("- id: monthly_target", "- id: store_sales", 17, "items[1].id", None),
        (
            '{name: "매출_{yyyymmdd}*.csv"}',
            '{name: "{yyyymmdd}", source: [inbx]}',
            9,
            "items[0].match.source[0]",
            "inbox",
        ),
    ],
)
def test_a_problem_names_line_field_and_the_nearest_word(write, good, old, new, line, field, hint):
    assert good.count(old) == 1
    body = good.replace(old, new)
    found = problems(write(body))
    told = [p for p in found if p.field == field]
    assert told, [str(p) for p in found]
    assert (told[0].line, told[0].hint) == (line, hint), str(told[0])
    assert str(told[0]).startswith(f"{told[0].file}:{told[0].line}: ")


def test_all_problems_of_a_file_are_told_at_once_in_its_order(write):
    body = "tenant: hanbit\nnmae: x\nsources: []\nitems:\n  - id: Sales 1\n    due: 1 dya\n"
    found = problems(write(body))
    assert [p.line for p in found] == sorted(p.line for p in found)
    assert {"name", "nmae", "sources", "items[0].id", "items[0].due", "items[0].match", "items[0].table"} <= {
        p.field for p in found
    }


def test_items_of_one_table_must_agree_on_the_types_of_its_columns(write, good):
    body = good.replace("table: monthly_target", "table: store_sales").replace(
        "store_code: {from: 지점코드, required: true}\n      unpivot",
        "store_code: {from: 지점코드, type: integer}\n      unpivot",
    )
    (found,) = problems(write(body))
    assert (found.line, found.field) == (24, "items[1].tag.columns.store_code.type")
    assert "'monthly_target'" in found.message
    assert "'store_sales'" in found.message


@pytest.mark.parametrize(
    ("hostile", "hint"),
    [
        ("../hanbit", "hanbit"), ("'a/b'", "a_b"), ("한빛마트", "hanbitmateu"), ("select", "select_co"),
        ("""'x"; drop schema'""", "x_drop_schema"), ("pg_temp", "co_pg_temp"), ("public", "public_co"), ("'..'", None),
        ("a" * 200, "a" * 40), ("Hanbit", "hanbit"), ("7eleven", "x7eleven"), ('"hanbit\\n"', "hanbit"),
        ("_ondol", "ondol_co"),
    ],
)  # fmt: skip
def test_a_hostile_tenant_id_is_refused_with_a_usable_one(write, good, hostile, hint):
    (found,) = problems(write(good.replace("tenant: hanbit", f"tenant: {hostile}", 1)))
    assert (found.line, found.field, found.hint) == (1, "tenant", hint)
    assert len(str(found)) < 400


def test_the_file_must_be_called_like_its_tenant(write, good):
    (found,) = problems(write(good, "other.yaml"))
    assert found.hint == "other"
    (found,) = problems(write(good, "hanbit.yml"))
    assert "hanbit.yaml" in found.message


@pytest.mark.parametrize(
    ("body", "line", "said"),
    [
        (b"", 1, "empty"),
        (b"# only a comment\n", 1, "empty"),
        ("tenant: 한빛\n".encode("cp949"), 1, "not UTF-8"),
        (b"tenant: a\nname: \xff\n", 2, "not UTF-8"),
        (b"tenant: a\nitems:\n\t- id: b\n", 3, "tab"),
        (b"tenant: a\nname: b: c\n", 2, "quotes"),
        (b"tenant: a\nname b\nx: y\n", 3, "colon"),
        (b"tenant: a\nname: *x\n", 2, "quotes"),
        (b"tenant: a\nname: b\ntenant: c\n", 3, "in line 1 already"),
        (b"a: &x {b: 1}\nc: *x\n", 1, "alias"),
        (b"a: &x [*x]\n", 1, "alias"),
        (b"tenant: a\n---\ntenant: b\n", 2, "one document"),
        (b"tenant: a\nname: b\x07\n", 2, "control character"),
        (b"tenant: !!python/object/apply:os.system [ls]\n", 1, "tag"),
        (b"- a\n- b\n", 1, "the file is a list of 2"),
        (b"just words\n", 1, "the file is 'just words'"),
        (b"? [a, b]\n: c\n", 1, "no valid YAML"),
        (b"1: a\n", 1, "no key 1"),
        (b"[" * 400_000, 1, "characters"),
        (b"[\n" * 400_000, 1, "brackets"),
        (b"- " * 400_000, 1, "characters"),
        (b"- " * 4_900, 1, "the file is a list of 1"),
        (b"#" + b"x" * 1_000_000, 1, "bytes"),
    ],
)
def test_what_is_no_tenant_is_a_clear_error(write, body, line, said):
    found = [p for p in problems(write(body)) if said in str(p)]
    assert found
    assert found[0].line == line
    assert len(str(found[0])) < 500


def test_a_billion_laughs_costs_nothing(write):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    began = time.process_time()
    assert all("alias" in p.message for p in problems(write("\n".join(lines))))
    assert time.process_time() - began < 1


def test_a_link_out_of_the_folder_is_refused_and_one_inside_is_not(tmp_path, good):
    folder = tmp_path / "tenants"
    folder.mkdir()
    (tmp_path / "secret.yaml").write_text(good)
    (folder / "hanbit.yaml").symlink_to("../secret.yaml")
    assert "symbolic link" in problems(folder / "hanbit.yaml")[0].message
    (folder / "..data").mkdir()
    (folder / "..data" / "hanbit.yaml").write_text(good)
    (folder / "hanbit.yaml").unlink()
    (folder / "hanbit.yaml").symlink_to("..data/hanbit.yaml")
    assert load_tenant(folder / "hanbit.yaml").tenant == "hanbit"


def test_what_is_no_file_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    for loaded in load_all(tmp_path):
        assert loaded.tenant is None
        assert loaded.error is not None
    assert "cannot be read" in problems(tmp_path / "gone.yaml")[0].message


def test_one_broken_file_harms_no_other(tmp_path, good):
    for name, body in (
        ("hanbit.yaml", good),
        ("broken.yaml", "{"),
        ("_draft.yaml", "{"),
        (".hidden.yaml", "{"),
        ("note.md", ""),
    ):
        (tmp_path / name).write_text(body)
    loaded = load_all(tmp_path)
    assert [(entry.path.name, entry.id, entry.error is None) for entry in loaded] == [
        ("broken.yaml", "broken", False), ("hanbit.yaml", "hanbit", True)]  # fmt: skip


def test_two_files_of_one_tenant_are_an_error_of_both(tmp_path, good):
    (tmp_path / "hanbit.yaml").write_text(good)
    (tmp_path / "Hanbit.yaml").write_text(good)
    assert [str(entry.error).count("another file") for entry in load_all(tmp_path)] == [1, 1]


def test_an_unknown_tenant_is_answered_with_the_nearest(tmp_path, good):
    (tmp_path / "hanbit.yaml").write_text(good)
    assert find_tenant(tmp_path, "hanbit").tenant == "hanbit"
    with pytest.raises(ConfigError, match="Did you mean 'hanbit'"):
        find_tenant(tmp_path, "hanbti")
    with pytest.raises(ConfigError, match="no tenant"):
        find_tenant(tmp_path, "../hanbit")


def test_hashes_depend_on_the_content_and_on_nothing_else(write, good):
    first = load_tenant(write(good))
    head, items = good.split("items:\n")
    lines = head.splitlines()
    other = load_tenant(write("\n".join([lines[1], lines[0], *lines[2:]]) + "\n# a comment\nitems:\n" + items))
    assert config_hash(first) == config_hash(other)
    script = (
        "from ondol.config.loader import *; from pathlib import Path; "
        f"print(config_hash(load_tenant(Path({str(write(good))!r}))))"
    )
    env = {**os.environ, "PYTHONHASHSEED": "7"}
    assert subprocess.check_output([sys.executable, "-c", script], text=True, env=env).strip() == config_hash(first)
    assert len(config_hash(first)) == 12


def test_only_what_changes_the_processing_changes_the_rules_hash(write, good):
    before = rules_hash(load_tenant(write(good)).items[0])
    for same in (
        good.replace("한빛마트", "한빛"),
        good.replace("    table: store_sales", "    due: 3 days\n    table: store_sales"),
    ):
        assert rules_hash(load_tenant(write(same)).items[0]) == before
    for other in (
        good.replace("unit: 원", "unit: 천원"),
        good.replace("*.csv", "*.txt"),
        good.replace("table: store_sales", "table: s"),
    ):
        assert rules_hash(load_tenant(write(other)).items[0]) != before


def test_a_thousand_tenants_load_within_two_seconds(tmp_path, good):
    for number in range(1000):
        (tmp_path / f"t{number:04}.yaml").write_text(good.replace("tenant: hanbit", f"tenant: t{number:04}", 1))
    began = time.process_time()
    assert all(entry.tenant for entry in load_all(tmp_path))
    assert time.process_time() - began < 2
