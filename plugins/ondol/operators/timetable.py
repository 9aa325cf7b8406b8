"""The timetable of a tenant: runs that each take whole days of the tenant's own calendar.

A day travels through Airflow as UTC midnight of its date, whatever the tenant's time zone. So a date means the same
day on the command line, in a backfill and in the UI, and a run is labelled with the day that it processes.
docs/adr/0004-dates-in-airflow.md says why.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction
from airflow.timetables.interval import CronDataIntervalTimetable
from pendulum import DateTime, instance

from ondol.interval import Interval

_ONE_DAY = dt.timedelta(days=1)
_INSTANT = dt.timedelta(microseconds=1)
_ONCE_A_DAY = re.compile(r"\d+ \d+ ")


class Run(Protocol):
    """What is read of an Airflow DAG run."""

    logical_date: dt.datetime | None
    data_interval_start: dt.datetime | None
    data_interval_end: dt.datetime | None
    run_after: dt.datetime


def day_of(moment: dt.datetime, zone: dt.tzinfo) -> dt.date:
    """The day that a moment stands for: UTC midnight, which is what Airflow makes of a bare date, stands for that
    date; any other moment for the day that it falls on in the tenant's time zone.
    """
    utc = moment.astimezone(dt.UTC)
    return utc.date() if _is_label(utc) else utc.astimezone(zone).date()


def interval_of(run: Run, zone: ZoneInfo) -> Interval:
    """The data interval of a run, in the tenant's time zone. A run without one takes the day that it was made on."""
    start, end = run.data_interval_start, run.data_interval_end
    if start is None or end is None:
        return Interval.of_day(day_of(run.logical_date or run.run_after, zone), zone)
    if _is_label(start) and _is_label(end):
        first, last = (Interval.of_day(moment.astimezone(dt.UTC).date(), zone) for moment in (start, end))
        return Interval(first.start, last.start)
    return Interval(start.astimezone(zone), end.astimezone(zone))


class DayTimetable(CronDataIntervalTimetable):
    """Runs when the cron expression says, in the tenant's time zone, for the whole days since the run before.

    A tenant that runs several times a day gets the spans between its runs, as Airflow's own timetable gives them. A run
    that a person asks for takes one day: that of its logical date.

    Args:
        start: the first day that is run by schedule. A backfill may go further back.
    """

    def __init__(self, cron: str, timezone: str, start: dt.date) -> None:
        super().__init__(cron, timezone)
        self._start = start
        self._whole_days = _ONCE_A_DAY.match(cron) is not None

    def __eq__(self, other: object) -> bool:
        """Airflow compares timetables while it builds a DAG; its own way imports the whole scheduler for it."""
        return isinstance(other, DayTimetable) and self.serialize() == other.serialize()

    def __hash__(self) -> int:
        """Equal timetables have equal hashes."""
        return hash((self._expression, self._timezone.name, self._start))

    @property
    def summary(self) -> str:
        """What the UI shows as the schedule."""
        return f"{self._expression} {self._timezone.name}"

    def serialize(self) -> dict[str, Any]:
        """As JSON, for the serialised DAG."""
        return {"expression": self._expression, "timezone": self._timezone.name, "start": self._start.isoformat()}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> DayTimetable:
        """From what `serialize` gave."""
        return cls(data["expression"], data["timezone"], dt.date.fromisoformat(data["start"]))

    def infer_manual_data_interval(self, *, run_after: DateTime) -> DataInterval:
        """The day that a person's date stands for."""
        day = day_of(run_after, self._timezone)
        return DataInterval(_label(day), _label(day + _ONE_DAY))

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """The run after the last one, within the days that are asked for; without catch-up, the latest that is due."""
        first = restriction.earliest and day_of(restriction.earliest, self._timezone)
        last = restriction.latest and day_of(restriction.latest, self._timezone)
        if not restriction.catchup:
            first = max(first or self._start, self._start)
        if not self._whole_days:
            return super().next_dagrun_info(
                last_automated_data_interval=last_automated_data_interval,
                restriction=TimeRestriction(
                    self._midnight(first) if first else None,
                    self._midnight(last + _ONE_DAY) - _INSTANT if last else None,
                    restriction.catchup,
                ),
            )
        starts = [first] if first else []
        if not restriction.catchup:
            starts.append(self._latest_ended())
        if last_automated_data_interval:
            starts.append(day_of(last_automated_data_interval.end, self._timezone))
        if not starts or (last and max(starts) > last):
            return None
        return self._run_from(max(starts))

    def _run_from(self, day: dt.date) -> DagRunInfo:
        """The first run after that day has ended, and the days that it takes."""
        at = self._get_next(self._midnight(day + _ONE_DAY) - _INSTANT)
        return DagRunInfo(at, DataInterval(_label(day), _label(at.in_timezone(self._timezone).date())))

    def _latest_ended(self) -> dt.date:
        """The day on which the span of the latest run that is due begins."""
        due = self._get_prev(instance(dt.datetime.now(dt.UTC)))
        return self._get_prev(due).in_timezone(self._timezone).date()

    def _midnight(self, day: dt.date) -> DateTime:
        return instance(dt.datetime.combine(day, dt.time()), tz=self._timezone)


def _label(day: dt.date) -> DateTime:
    return instance(dt.datetime.combine(day, dt.time(), dt.UTC))


def _is_label(moment: dt.datetime) -> bool:
    return moment.astimezone(dt.UTC).time() == dt.time()
