from __future__ import annotations

import pytest

from ondol.config.loader import load_tenant


@pytest.fixture
def sample(tmp_path):
    path = tmp_path / "매출_20260105.csv"
    path.write_bytes("지점코드,지점명,금액\n0101,강남점,1200\n0102,마포점,800\n".encode("cp949"))
    return path


def test_a_new_tenant_of_sample_files_passes_the_check(ondol, place, sample):
    said = ondol("tenant", "new", "daeyang", "--name", "대양정밀", "--from", sample)
    assert said.code == 0
    path = place / "tenants" / "daeyang.yaml"
    assert f"wrote {path}" in said.out
    tenant = load_tenant(path)
    assert tenant.name == "대양정밀"
    assert [(name, rule.source) for name, rule in tenant.items[0].tag.columns.items()] == [
        ("date", "period"), ("store_code", "지점코드"), ("store_name", "지점명"), ("amount", "금액")]  # fmt: skip
    assert tenant.items[0].match.name == "매출_{yyyymmdd}*.csv"
    assert path.read_text().startswith("# yaml-language-server: $schema=_schema.json\n")
    assert ondol("check").code == 0


def test_files_of_one_kind_make_one_item(ondol, place, sample):
    other = sample.with_name("매출_20260106(수정).csv")
    other.write_bytes(sample.read_bytes())
    detail = sample.with_name("매출_20260105_상세.csv")
    detail.write_bytes(sample.read_bytes())
    said = ondol("tenant", "new", "daeyang", "--from", sample, other, detail, "--json")
    items = said.json["items"]
    assert [item["name"] for item in items] == ["매출_{yyyymmdd}.csv", "매출_{yyyymmdd}_상세*.csv"]
    assert "resend" in items[0]["notes"][0]
    assert [(item["sample"], item["rows"]) for item in items] == [(sample.name, 2), (detail.name, 2)]


def test_a_file_that_cannot_be_read_is_left_out_and_told(ondol, place, sample, tmp_path):
    broken = tmp_path / "사진.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0" + bytes(100))
    said = ondol("tenant", "new", "daeyang", "--from", sample, "--from", broken)
    assert said.code == 0
    assert "사진.jpg: left out" in said.err
    assert "# left out: 사진.jpg" in (place / "tenants" / "daeyang.yaml").read_text()
    nothing = ondol("tenant", "new", "saeum", "--from", broken)
    assert (nothing.code, "no sample file has a table" in nothing.err) == (1, True)


def test_an_existing_tenant_is_not_overwritten(ondol, place, sample):
    before = (place / "tenants" / "hanbit.yaml").read_text()
    said = ondol("tenant", "new", "hanbit", "--from", sample)
    assert (said.code, "not overwritten" in said.err) == (1, True)
    assert (place / "tenants" / "hanbit.yaml").read_text() == before


@pytest.mark.parametrize(
    ("hostile", "better"),
    [("한빛", "hanbit"), ("../x1", "x1"), ("select", "select_co"), ("a" * 200, "a" * 40), ("x", "x_co")],
)
def test_an_id_that_cannot_be_is_answered_with_one_that_can(ondol, place, sample, hostile, better):
    said = ondol("tenant", "new", hostile, "--from", sample)
    assert (said.code, f"Try '{better}'" in said.err) == (1, True)
    assert len(list((place / "tenants").iterdir())) == 1


def test_the_list_shows_right_and_broken_tenants(ondol, place):
    (place / "tenants" / "broken.yaml").write_text("tenant: broken\n")
    said = ondol("tenant", "list")
    assert said.code == 0
    assert "한빛마트" in said.out
    by_id = {t["tenant"]: t for t in ondol("tenant", "list", "--json").json}
    assert "items is missing: the kinds of file" in by_id["broken"]["error"]
    assert by_id["hanbit"]["items"] == ["sales"]
    assert len(by_id["hanbit"]["config"]) == 12
