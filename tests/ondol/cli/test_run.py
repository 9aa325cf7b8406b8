from __future__ import annotations

import pytest

from ondol.settings import settings

FILES = {
    "매출_20260105.csv": "지점코드,금액\n0101,1200\n0102,800\n",
    "매출_20260104.csv": "지점코드,금액\n0101,열두\n",
    "회의록.txt": "안녕하세요\n",
}


@pytest.fixture
def delivered(home, place):
    folder = settings().home / "inbox" / "hanbit" / "2026-01-05"
    folder.mkdir(parents=True)
    for name, body in FILES.items():
        (folder / name).write_bytes(body.encode("cp949"))
    return folder


def test_a_day_is_run_shown_and_traced_to_its_cells(ondol, delivered):
    said = ondol("run", "hanbit", "2026-01-05", "--json")
    assert said.code == 0
    assert said.json["counts"]["load"]["rows"] == 2
    assert {(e["stage"], e["name"]) for e in said.json["quarantined"]} == {
        ("map", "회의록.txt"),
        ("tag", "매출_20260104.csv"),
    }

    again = ondol("run", "hanbit", "2026-01-05")
    assert again.code == 0
    assert "duplicate" in again.out
    assert "회의록.txt" in again.out

    traced = ondol("trace", "hanbit", "sales", "store_code=0101", "--column", "amount", "--json").json
    assert [(c["file"], c["cell"], c["value"]) for c in traced["cells"]] == [("매출_20260105.csv", "B2", 1200)]
    assert "매출_20260105.csv" in ondol("trace", "hanbit", "sales", "store_code=0101").out


def test_only_the_stages_and_items_asked_for_are_run(ondol, delivered):
    first = ondol("run", "hanbit", "2026-01-05", "--to", "convert", "--item", "sales", "--json").json
    assert list(first["counts"]) == ["crawl", "map", "filter", "convert"]
    rest = ondol("run", "hanbit", "2026-01-05", "--from", "tag", "--to", "load", "--json").json
    assert rest["counts"]["load"]["rows"] == 2
    forced = ondol("run", "hanbit", "2026-01-05", "--force", "--json").json
    assert forced["counts"]["convert"]["converted"] >= 1


def test_stages_that_have_nothing_before_them_say_what_to_run(ondol, delivered):
    said = ondol("run", "hanbit", "2026-01-05", "--from", "load")
    assert (said.code, "run from an earlier stage" in said.err) == (1, True)


def test_a_row_that_cannot_be_named_is_told_how(ondol, delivered):
    ondol("run", "hanbit", "2026-01-05")
    assert ondol("trace", "hanbit", "sales", "0101").code == 2
    unknown = ondol("trace", "hanbit", "sales", "shop=0101")
    assert (unknown.code, "no column 'shop'" in unknown.err) == (1, True)
    missing = ondol("trace", "hanbit", "sales", "store_code=9999")
    assert (missing.code, "no row" in missing.err) == (1, True)
    wrong = ondol("trace", "hanbit", "sales", "sale_date=gestern")
    assert (wrong.code, "gestern" in wrong.err, "Traceback" in wrong.err) == (1, True, False)
