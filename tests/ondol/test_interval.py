from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from ondol.interval import Interval

SEOUL = ZoneInfo("Asia/Seoul")


def test_a_day_is_the_tenants_local_day() -> None:
    day = Interval.of_day(dt.date(2026, 1, 5), SEOUL)
    assert day.dates == [dt.date(2026, 1, 5)]
    assert day.key() == "2026-01-05"
    assert dt.datetime(2026, 1, 4, 15, tzinfo=dt.UTC) in day
    assert dt.datetime(2026, 1, 5, 15, tzinfo=dt.UTC) not in day


def test_a_span_of_hours_has_a_key_of_its_own() -> None:
    span = Interval(dt.datetime(2026, 1, 5, 6, tzinfo=SEOUL), dt.datetime(2026, 1, 6, 6, tzinfo=SEOUL))
    assert span.key() == "20260105T060000..20260106T060000"
    assert span.dates == [dt.date(2026, 1, 5), dt.date(2026, 1, 6)]


def test_a_manual_run_without_an_end_has_the_date_of_its_start() -> None:
    now = dt.datetime(2026, 1, 5, 9, tzinfo=SEOUL)
    assert Interval(now, now).dates == [dt.date(2026, 1, 5)]
