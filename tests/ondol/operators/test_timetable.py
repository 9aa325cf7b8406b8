"""What a date means: on the command line, by schedule, in a backfill, in a person's trigger."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import pendulum
import pytest
from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction

from ondol.interval import Interval
from ondol.operators.timetable import DayTimetable, day_of, interval_of

DAY = dt.date(2026, 1, 5)
ZONES = ("Asia/Seoul", "UTC", "America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago")


@dataclass
class Run:
    run_after: dt.datetime
    logical_date: dt.datetime | None = None
    data_interval_start: dt.datetime | None = None
    data_interval_end: dt.datetime | None = None


def at(text: str, zone: str = "UTC") -> pendulum.DateTime:
    moment = pendulum.parse(text, tz=zone)
    assert isinstance(moment, pendulum.DateTime)
    return moment


def timetable(cron: str, zone: str, start: dt.date = dt.date(2026, 1, 1)) -> DayTimetable:
    return DayTimetable(cron, zone, start)


def backfill(table: DayTimetable, first: str, last: str) -> list[DagRunInfo]:
    """The runs that `airflow backfill create --from-date … --to-date …` makes."""
    restriction = TimeRestriction(at(first), at(last), catchup=True)
    runs: list[DagRunInfo] = []
    interval: DataInterval | None = None
    while info := table.next_dagrun_info(last_automated_data_interval=interval, restriction=restriction):
        runs.append(info)
        interval = info.data_interval
    return runs


def days(info: DagRunInfo, zone: str) -> list[dt.date]:
    """The days that a run with that information takes."""
    assert info.data_interval
    run = Run(info.run_after, info.logical_date, *info.data_interval)
    return interval_of(run, ZoneInfo(zone)).dates


@pytest.mark.parametrize("zone", ZONES)
def test_a_date_on_the_command_line_is_that_day_in_every_time_zone(zone: str) -> None:
    """`airflow dags test T 2026-01-05` and `dags trigger --logical-date 2026-01-05` give midnight UTC."""
    interval = timetable("0 7 * * *", zone).infer_manual_data_interval(run_after=at("2026-01-05"))
    assert days(DagRunInfo(at("2026-01-05"), interval), zone) == [DAY]


@pytest.mark.parametrize("zone", ZONES)
def test_a_moment_picked_in_the_ui_is_the_local_day_it_falls_on(zone: str) -> None:
    for clock in ("00:00", "00:01", "12:00", "23:59"):
        assert day_of(at(f"2026-01-05T{clock}", zone), ZoneInfo(zone)) == DAY


def test_a_trigger_without_a_logical_date_takes_the_day_it_was_made_on() -> None:
    early_in_seoul = Run(run_after=at("2026-01-04T20:30"))
    assert interval_of(early_in_seoul, ZoneInfo("Asia/Seoul")) == Interval.of_day(DAY, ZoneInfo("Asia/Seoul"))


@pytest.mark.parametrize("zone", ZONES)
def test_a_backfill_takes_each_day_of_the_month_once_both_ends_included(zone: str) -> None:
    runs = backfill(timetable("0 7 * * *", zone), "2026-01-01", "2026-01-31")
    assert [days(run, zone) for run in runs] == [[dt.date(2026, 1, n)] for n in range(1, 32)]
    assert [str(run.logical_date)[:10] for run in runs] == [f"2026-01-{n:02}" for n in range(1, 32)]


def test_a_run_waits_for_the_end_of_its_day_and_then_for_the_schedule() -> None:
    [run] = backfill(timetable("0 7 * * *", "Asia/Seoul"), "2026-01-05", "2026-01-05")
    assert run.run_after == at("2026-01-06T07:00", "Asia/Seoul")
    [run] = backfill(timetable("30 23 * * *", "Asia/Seoul"), "2026-01-05", "2026-01-05")
    assert run.run_after == at("2026-01-06T23:30", "Asia/Seoul")
    [run] = backfill(timetable("0 0 * * *", "Asia/Seoul"), "2026-01-05", "2026-01-05")
    assert run.run_after == at("2026-01-06T00:00", "Asia/Seoul")


def test_a_weekly_tenant_takes_all_days_since_the_run_before() -> None:
    runs = backfill(timetable("0 7 * * 1", "Asia/Seoul"), "2026-01-01", "2026-01-14")
    taken = [days(run, "Asia/Seoul") for run in runs]
    assert [(d[0].day, d[-1].day) for d in taken] == [(1, 4), (5, 11), (12, 18)]
    assert [run.run_after.day for run in runs] == [4, 11, 18]  # 7:00 in Seoul on the Monday is still Sunday in UTC


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_no_day_is_lost_or_doubled_where_clocks_change(zone: str) -> None:
    runs = backfill(timetable("30 2 * * *", zone), "2026-03-01", "2026-04-05")
    runs += backfill(timetable("30 2 * * *", zone), "2026-10-20", "2026-11-05")
    for run in runs:
        assert days(run, zone) == [run.logical_date.date()]  # type: ignore[union-attr]
        assert run.run_after.in_timezone(zone).date() == days(run, zone)[0] + dt.timedelta(days=1)


def test_a_tenant_that_runs_several_times_a_day_takes_the_span_since_the_run_before() -> None:
    zone = ZoneInfo("Asia/Seoul")
    runs = backfill(timetable("0 9,18 * * *", "Asia/Seoul"), "2026-01-05", "2026-01-06")
    spans = [interval_of(Run(r.run_after, r.logical_date, *r.data_interval), zone) for r in runs if r.data_interval]
    assert [(f"{s.start:%d %H:%M}", f"{s.end:%d %H:%M}") for s in spans] == [
        ("05 09:00", "05 18:00"),
        ("05 18:00", "06 09:00"),
        ("06 09:00", "06 18:00"),
        ("06 18:00", "07 09:00"),
    ]


def test_by_schedule_only_the_latest_ended_day_runs() -> None:
    table = timetable("0 7 * * *", "Asia/Seoul")
    long_ago = DataInterval(at("2026-01-05"), at("2026-01-06"))
    for last in (None, long_ago):
        run = table.next_dagrun_info(
            last_automated_data_interval=last, restriction=TimeRestriction(None, None, catchup=False)
        )
        assert run
        now = pendulum.now("UTC")
        assert now - dt.timedelta(days=1) < run.run_after <= now
        assert days(run, "Asia/Seoul") == [run.run_after.in_timezone("Asia/Seoul").date() - dt.timedelta(days=1)]


def test_the_run_after_the_last_one_is_the_next_day() -> None:
    table = timetable("0 7 * * *", "Asia/Seoul")
    latest = table.next_dagrun_info(
        last_automated_data_interval=None, restriction=TimeRestriction(None, None, catchup=False)
    )
    assert latest
    assert latest.data_interval
    following = table.next_dagrun_info(
        last_automated_data_interval=latest.data_interval, restriction=TimeRestriction(None, None, catchup=False)
    )
    assert following
    assert following.run_after == latest.run_after + dt.timedelta(days=1)


@pytest.mark.parametrize("cron", ["0 7 * * *", "0 */2 * * *"])
def test_nothing_runs_by_schedule_before_the_tenants_start_but_a_backfill_may(cron: str) -> None:
    start = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=30)
    table = timetable(cron, "Asia/Seoul", start)
    run = table.next_dagrun_info(
        last_automated_data_interval=None, restriction=TimeRestriction(None, None, catchup=False)
    )
    assert run
    assert run.run_after.in_timezone("Asia/Seoul").date() >= start
    assert backfill(table, "2026-01-05", "2026-01-05")


def test_it_survives_airflows_serialisation() -> None:
    table = timetable("0 7 * * 1", "Asia/Seoul", dt.date(2026, 2, 3))
    again = DayTimetable.deserialize(table.serialize())
    assert again.serialize() == table.serialize()
    assert again.summary == "0 7 * * 1 Asia/Seoul"
