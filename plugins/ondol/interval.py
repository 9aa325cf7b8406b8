"""The data interval of a run: which arrival dates it takes, and the run key that names its writes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from ondol.errors import FatalError


@dataclass(frozen=True, slots=True)
class Interval:
    """A span of time in the tenant's time zone; the start is in it, the end is not."""

    start: dt.datetime
    end: dt.datetime

    @classmethod
    def of_day(cls, day: dt.date, zone: ZoneInfo) -> Interval:
        """The whole local day."""
        if not dt.date(1970, 1, 1) <= day <= dt.date(9000, 1, 1):
            raise FatalError(f"{day} is no day that files arrive on: give one from 1970 on")
        start = dt.datetime.combine(day, dt.time(), zone)
        return cls(start, dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), zone))

    @property
    def dates(self) -> list[dt.date]:
        """Each local date of which some moment is in the interval; an empty interval has the date of its start."""
        first, last = self.start.date(), max(self.start, self.end - dt.timedelta(microseconds=1)).date()
        return [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]

    def __contains__(self, moment: dt.datetime) -> bool:
        """Whether a moment (with a time zone) is in it."""
        return self.start <= moment < self.end

    def key(self) -> str:
        """'2026-01-05' for a whole local day, '20260105T060000..20260105T120000' for any other span."""
        midnight = dt.time()
        if self.start.time() == self.end.time() == midnight and (self.end.date() - self.start.date()).days == 1:
            return str(self.start.date())
        return f"{self.start:%Y%m%dT%H%M%S}..{self.end:%Y%m%dT%H%M%S}"
