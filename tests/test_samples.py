"""The sample firms' files are read to the last figure: convert and tag give exactly the rows that made them."""

from __future__ import annotations

from pathlib import Path

import pytest

from converters import convert
from converters.errors import ContractBroken
from converters.tagging import About, tag
from ondol.config.loader import load_tenant
from ondol.settings import settings
from tests.samples import TENANTS, deliveries, write_samples


@pytest.mark.parametrize("tenant", TENANTS)
def test_every_sound_file_gives_its_rows_and_every_false_total_is_named(tenant: str) -> None:
    config = load_tenant(settings().tenants / f"{tenant}.yaml")
    for delivery in deliveries(tenant):
        if delivery.fate not in ("loaded", "contradictory"):
            continue
        assert delivery.item
        assert delivery.period
        about = About(delivery.item, *delivery.period, delivery.part, "sha", delivery.name, "run")
        rule = config.item(delivery.item).tag
        conversion = convert(delivery.content, name=delivery.name)
        if delivery.fate == "contradictory":
            with pytest.raises(ContractBroken, match="the sum of its cells"):
                tag(conversion, rule, about)
            continue
        rows = tag(conversion, rule, about).table.select(list(rule.kinds())).to_pylist()
        assert rows == [dict(row) for row in delivery.rows], delivery.name


def test_the_files_are_the_same_at_each_writing(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write_samples(tmp_path / folder)
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file())
    assert len(files) > 60
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes(), file
