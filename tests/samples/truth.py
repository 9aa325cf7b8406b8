"""What tidy tables and marts must hold after the runs up to a day, from the samples' own figures alone."""

from __future__ import annotations

import datetime as dt
from importlib import import_module

from tests.samples import deliveries
from tests.samples.delivery import Delivery, Row


def current(tenant: str, day: dt.date) -> list[Delivery]:
    """The files whose rows the warehouse holds after `day`'s run: the newest sound one of each item, period, part."""
    newest: dict[tuple[object, ...], Delivery] = {}
    for file in sorted(deliveries(tenant), key=lambda f: f.version):
        if file.fate == "loaded" and file.arrived <= day:
            newest[file.item, file.period, file.part] = file
    return list(newest.values())


def tidy(tenant: str, day: dt.date) -> dict[str, list[Row]]:
    """The rows of each tidy table after `day`'s run; a table that nothing reached yet is there, and empty."""
    tables: dict[str, list[Row]] = {file.table: [] for file in deliveries(tenant) if file.table}
    for file in current(tenant, day):
        tables[str(file.table)].extend(file.rows)
    return tables


def marts(tenant: str, day: dt.date) -> dict[str, list[Row]]:
    """The rows of each mart after `day`'s run."""
    made: dict[str, list[Row]] = import_module(f"tests.samples.{tenant}").marts(tidy(tenant, day))
    return made
