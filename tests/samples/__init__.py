"""Three sample firms and the files that they send in January 2026, with the truth about each."""

from __future__ import annotations

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


def write_samples(inbox: Path) -> None:
    """Write <inbox>/<tenant>/<day of arrival>/<file> for all of them."""
    for tenant in TENANTS:
        for delivery in deliveries(tenant):
            folder = inbox / tenant / str(delivery.arrived)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / delivery.name).write_bytes(delivery.content)
