"""Three sample firms, the files that they send in January 2026, and the truth about each (truth.py)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.samples.delivery import Delivery

TENANTS = ("daeyang", "hanbit", "saeum")


def deliveries(tenant: str) -> list[Delivery]:
    """Every file that a sample firm sends, by day and name; the same at each call, to the byte."""
    made: list[Delivery] = import_module(f"tests.samples.{tenant}").deliveries()
    return made


def write_samples(inbox: Path, days: Collection[dt.date] | None = None) -> None:
    """Write <inbox>/<tenant>/<day of arrival>/<file>: of those days, or of all."""
    for tenant in TENANTS:
        for delivery in deliveries(tenant):
            if days is None or delivery.arrived in days:
                folder = inbox / tenant / str(delivery.arrived)
                folder.mkdir(parents=True, exist_ok=True)
                (folder / delivery.name).write_bytes(delivery.content)
