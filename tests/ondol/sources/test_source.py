"""What every source promises, on real servers: each new file once, whole, and nothing lost to a kill."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import signal
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import yaml

from ondol import pipeline, registry
from ondol.config.tenant import Tenant
from ondol.errors import NotAllowed, RetriableError, SourceDown
from ondol.interval import Interval
from ondol.lake.local import LocalLake
from ondol.manifest import Manifest
from ondol.sources.base import Cursor, Found, Later
from ondol.stages import collect, crawl
from ondol.stages.context import Params, StageContext
from tests.ondol.sources.harness import HARNESSES, Harness

DAY = dt.date(2026, 1, 5)
ITEM = {"id": "any_file", "match": {"name": "*.csv"}, "period": "run", "table": "any_file",
        "tag": {"columns": {"a": {"from": "a"}}}}  # fmt: skip


@pytest.fixture(params=sorted(registry.SOURCES))
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Harness:
    """A place of each kind; a kind without one here fails."""
    return HARNESSES[request.param](request, tmp_path)


def tenant(*sources: dict[str, Any], **more: object) -> Tenant:
    data = {"tenant": "hanbit", "name": "한빛", "sources": list(sources), "items": [ITEM], **more}
    return Tenant.model_validate(data)


@contextmanager
def opened(config: Tenant, day: int = 5) -> Iterator[StageContext]:
    interval = Interval.of_day(dt.date(2026, 1, day), config.zone)
    with pipeline.open_context(config, interval, run_id="test", params=Params()) as context:
        yield context


def crawled(config: Tenant, day: int = 5) -> Manifest:
    with opened(config, day) as context:
        return crawl.run(context)


def names(manifest: Manifest) -> list[str]:
    return sorted(entry.name for entry in manifest.entries)


def decisions(config: Tenant, day: int = 5) -> list[tuple[str, str]]:
    with opened(config, day) as context:
        return sorted((e["decision"], e["name"]) for e in context.ledger.history(run_key=context.run_key))


def test_each_new_file_is_collected_once_and_whole(home: Path, place: Harness) -> None:
    bodies = {"a.csv": b"a", "b.csv": b"", "in/c.csv": os.urandom(100_000)}
    for name, body in bodies.items():
        place.put(name, body)
    config = tenant(place.source())
    first = crawled(config)
    assert {e.location: e.sha256 for e in first.entries} == {
        name: hashlib.sha256(body).hexdigest() for name, body in bodies.items()
    }
    lake = LocalLake(home / "lake", "hanbit")
    for entry in first.entries:
        stored = lake.get(lake.uri(f"raw/{entry.sha256[:2]}/{entry.sha256}"))
        assert hashlib.sha256(stored).hexdigest() == entry.sha256 and len(stored) == entry.size
    assert names(crawled(config, 6)) == []
    assert decisions(config, 6) == [("nothing_new", "place")]

    place.put("d.csv", b"d")
    place.put("a.csv", b"a, corrected")
    assert names(crawled(config, 7)) == ["a.csv", "d.csv"]


def test_the_same_run_again_hands_on_the_same_and_tells_nothing_twice(home: Path, place: Harness) -> None:
    place.put("a.csv", b"a")
    config = tenant(place.source())
    first, told = crawled(config), decisions(config)
    place.remove("a.csv")
    assert crawled(config) == first
    assert decisions(config) == told == [("collected", "a.csv")]


def test_a_crawl_killed_at_any_write_loses_and_doubles_nothing(
    home: Path, place: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"a.csv": b"a", "b.csv": b"b", "c.csv": b"b"}
    for name, body in files.items():
        place.put(name, body)
    source = place.source(archive="done") if place.archives else place.source()
    config = tenant(source)
    (tmp_path / "tenants").mkdir()
    (tmp_path / "tenants/hanbit.yaml").write_text(
        yaml.safe_dump(config.model_dump(mode="json", exclude_defaults=True, by_alias=True))
    )
    monkeypatch.setenv("ONDOL_TENANTS", str(tmp_path / "tenants"))
    command = [sys.executable, "-m", "ondol", "run", "hanbit", str(DAY), "--to", "crawl"]
    for number in range(1, 100):
        done = subprocess.run(
            command, env={**os.environ, "ONDOL_FAULT": str(number)}, capture_output=True, text=True, timeout=60
        )
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
    assert number > 4
    assert decisions(config) == [("collected", name) for name in files]
    assert names(crawled(config)) == list(files)
    assert names(crawled(config, 6)) == []
    assert len(list(LocalLake(home / "lake", "hanbit").paths("raw/"))) == 2
    if place.archives:
        assert (place.names(), place.names("done")) == (set(), set(files))


HOSTILE = ["-rf.csv", "a'b\";DROP TABLE x;--.csv", "{date}.csv", "두 칸  매출.csv", "x\ny.csv", "😀.csv", "$(id).csv",
           "`id`.csv", "%2e%2e%2f.csv", "a*[b]?.csv", "n" * 200 + ".csv"]  # fmt: skip


def test_hostile_names_are_kept_as_they_are(home: Path, place: Harness) -> None:
    for name in HOSTILE:
        place.put(name, name.encode())
    assert {e.name: e.sha256 for e in crawled(tenant(place.source())).entries} == {
        name: hashlib.sha256(name.encode()).hexdigest() for name in HOSTILE
    }


def test_a_decomposed_name_is_composed_and_found_again(home: Path, place: Harness) -> None:
    place.put(unicodedata.normalize("NFD", "매출.csv"), b"x")
    config = tenant(place.source())
    assert names(crawled(config)) == ["매출.csv"]
    assert names(crawled(config, 6)) == []


@pytest.mark.parametrize("place", sorted(k for k, made in HARNESSES.items() if made.raw_names), indirect=True)
def test_a_name_in_cp949_is_read_as_such(home: Path, place: Harness) -> None:
    place.put("회의 메모.csv".encode("cp949"), b"x")
    config = tenant(place.source())
    assert names(crawled(config)) == ["회의 메모.csv"]
    assert names(crawled(config, 6)) == []


def test_a_path_that_is_too_long_for_an_index_is_collected(home: Path, place: Harness) -> None:
    deep = "/".join(hashlib.sha256(bytes([n])).hexdigest() * 3 for n in range(4))
    place.put(f"{deep}/a.csv", b"x")
    assert names(crawled(tenant(place.source()))) == ["a.csv"]


def test_a_huge_file_takes_little_memory(home: Path, place: Harness, tmp_path: Path) -> None:
    place.grow(100_000_000)
    program = """
import resource, sys, yaml
from tests.ondol.sources.test_source import opened, tenant
from ondol.stages import crawl
source = yaml.safe_load(sys.argv[1])
with opened(tenant(source)) as context:
    import google.cloud.storage
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert [e.size for e in crawl.run(context).entries] == [100_000_000]
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, yaml.safe_dump(place.source())], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 48_000, f"{done.stdout} kB"


class Meddling(LocalLake):
    """A lake that calls something once the first piece of a file was read."""

    act: Callable[[], None]

    def put_stream(self, source: BinaryIO, max_bytes: int) -> tuple[str, str, int]:
        class Watched:
            def __init__(self, act: Callable[[], None]) -> None:
                self.act: Callable[[], None] | None = act

            def read(self, size: int) -> bytes:
                piece = source.read(min(size, 100_000))
                if self.act:
                    self.act, act = None, self.act
                    act()
                return piece

        return super().put_stream(Watched(self.act), max_bytes)  # type: ignore[arg-type]


def test_a_file_that_changes_while_it_is_read_is_collected_whole_by_a_later_run(home: Path, place: Harness) -> None:
    before, after = b"1" * 6_000_000, b"2" * 7_000_000
    place.put("a.csv", before)
    config = tenant(place.source())
    with opened(config) as context:
        lake = Meddling(home / "lake", "hanbit")
        lake.act = lambda: place.put("a.csv", after)
        context.lake = lake
        taken = crawl.run(context)
    whole = {hashlib.sha256(body).hexdigest() for body in (before, after)}
    assert {e.sha256 for e in taken.entries} <= whole
    assert {e.sha256 for e in crawled(config, 6).entries} | {e.sha256 for e in taken.entries} >= {
        hashlib.sha256(after).hexdigest()
    }


def test_a_file_that_disappears_after_it_was_listed_is_told_and_hinders_no_other(home: Path, place: Harness) -> None:
    place.put("a.csv", b"a")
    place.put("b.csv", b"b")
    config = tenant(place.source())
    with opened(config) as context:
        connector = collect.connect(config, config.sources[0], home, context.secrets)
        with connector:
            listed = [f for f in connector.list(context.interval, "") if isinstance(f, Found)]
            place.remove("a.csv")
            with pytest.raises(Later, match=r"a\.csv"), connector.open(listed[0]) as stream:
                stream.read()
    assert names(crawled(config)) == ["b.csv"]


def test_an_oversized_file_is_in_quarantine_until_it_may_be_so_large(home: Path, place: Harness) -> None:
    place.put("a.csv", b"x" * 1000)
    place.put("b.csv", b"x")
    small = tenant(place.source(max_bytes=999))
    manifest = crawled(small)
    assert (names(manifest), manifest.counts["quarantined"]) == (["b.csv"], 1)
    with opened(small) as context:
        [held] = context.ledger.quarantine.entries()
    assert "larger than 999 bytes" in held["reason"] and "max_bytes" in held["remedy"]

    large = tenant(place.source(max_bytes=1000))
    assert names(crawled(large, 6)) == ["a.csv"]
    with opened(large) as context:
        assert context.ledger.quarantine.entries() == []


def test_a_run_takes_no_more_bytes_than_it_may_and_the_next_goes_on(home: Path, place: Harness) -> None:
    for name in "abc":
        place.put(f"{name}.csv", name.encode() * 600)
    config = tenant(place.source(), limits={"bytes_per_run": 1000})
    taken = [crawled(config, day) for day in (5, 6, 7, 8)]
    assert [len(m.entries) for m in taken] == [1, 1, 1, 0]
    assert [m.counts.get("waiting", 0) for m in taken] == [2, 1, 0, 0]


def test_a_source_that_is_down_says_what_to_check_and_hinders_no_other(
    home: Path, place: Harness, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other/b.csv").write_bytes(b"b")
    other = {"id": "other", "type": "folder", "path": str(tmp_path / "other")}
    place.put("a.csv", b"a")
    config = tenant(place.source(), other)
    with place.down():
        with pytest.raises(SourceDown, match="source 'place'"):
            crawled(config)
        trial = pipeline.try_source(config, "place")
        assert trial.outcome == "down" and "source 'place'" in trial.message
    assert decisions(config) == [("collected", "b.csv")]
    assert names(crawled(config)) == ["a.csv", "b.csv"]


def test_a_source_that_refuses_us_is_not_tried_again(home: Path, place: Harness) -> None:
    with place.closed():
        config = tenant(place.source())
        with pytest.raises(NotAllowed, match="source 'place'"):
            crawled(config)
        assert pipeline.try_source(config, "place").outcome == "not_allowed"


def test_trying_a_source_shows_what_is_new_and_changes_nothing(home: Path, place: Harness) -> None:
    place.put("a.csv", b"a")
    config = tenant(place.source())
    crawled(config)
    place.put("b.csv", b"b")
    for _ in range(2):
        trial = pipeline.try_source(config, "place")
        assert (trial.outcome, trial.new, trial.known) == ("new", 1, 1)
        assert [f.name for f in trial.found] == ["b.csv"]
    assert names(crawled(config, 6)) == ["b.csv"]


def test_a_paused_source_is_left_out(home: Path, place: Harness) -> None:
    place.put("a.csv", b"a")
    config = tenant(place.source())
    with opened(config) as context, context.ledger._connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ondol.pause (tenant, kind, name, by, why) VALUES ('hanbit', 'sources', 'place', '', '')"
        )
        context.ledger._connection.commit()
    assert names(crawled(config)) == []
    assert [decision for decision, _ in decisions(config)] == ["paused"]


def test_a_cursor_moves_only_past_what_the_ledger_has(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    from ondol.sources.folder import FolderConnector

    listed: list[str] = []

    class Counting(FolderConnector):
        """A folder whose cursor is the last location, and which goes down after the third file."""

        up = False

        def list(self, interval: Interval, cursor: str) -> Iterator[Found | Cursor]:
            for found in super().list(interval, ""):
                if isinstance(found, Found) and found.location > cursor:
                    if not self.up and found.location == "4.csv":
                        raise SourceDown("away")
                    listed.append(found.location)
                    yield found
                    if int(found.location[0]) % 2 == 0:
                        yield Cursor(found.location)

    monkeypatch.setitem(registry.SOURCES, "folder", f"{__name__}:Counting")
    monkeypatch.setattr(sys.modules[__name__], "Counting", Counting, raising=False)
    place = HARNESSES["folder"](request, tmp_path)
    for number in range(1, 6):
        place.put(f"{number}.csv", str(number).encode())
    config = tenant(place.source())
    with pytest.raises(RetriableError), opened(config) as context:
        crawl.run(context)
    with opened(config) as context:
        assert context.ledger.collected.cursor("place") == "2.csv"
        Counting.up = True
        listed.clear()
        assert names(crawl.run(context)) == [f"{n}.csv" for n in range(1, 6)]
        assert listed == ["3.csv", "4.csv", "5.csv"]
        assert context.ledger.collected.cursor("place") == "4.csv"
