"""When the next file of an item is due: how long after the end of the period behind the last one that is loaded."""

from __future__ import annotations

import calendar
import datetime as dt

from ondol.config.fields import duration
from ondol.config.tenant import Item, Tenant

_ONE_DAY = dt.timedelta(days=1)


def due_next(
    tenant: Tenant, item: Item, last: dt.date | None, now: dt.datetime
) -> tuple[dt.date, dt.date, dt.datetime]:
    """The next period's first and last day, and the moment that its file is due.

    Args:
        last: the last day of the newest period that is loaded. None if there is none: then the period is expected that
            goes on now, or began on the tenant's first day, if that is still to come.
    """
    day = last + _ONE_DAY if last else max(tenant.start, now.astimezone(tenant.zone).date())
    start, end = span(day, item.grain)
    midnight = dt.datetime.combine(end + _ONE_DAY, dt.time(), tenant.zone)
    return start, end, (midnight.astimezone(dt.UTC) + duration(item.due)).astimezone(tenant.zone)


def span(day: dt.date, grain: str) -> tuple[dt.date, dt.date]:
    """The first and the last day of the period that a day is in."""
    if grain == "day":
        return day, day
    if grain == "month":
        return day.replace(day=1), day.replace(day=calendar.monthrange(day.year, day.month)[1])
    return dt.date(day.year, 1, 1), dt.date(day.year, 12, 31)
