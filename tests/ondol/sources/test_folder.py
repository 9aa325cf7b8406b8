from __future__ import annotations

import datetime as dt
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ondol.config.sources.folder import FolderSource
from ondol.errors import NotAllowed, Rejected, SourceDown
from ondol.interval import Interval
from ondol.secrets.local import LocalSecrets
from ondol.sources.base import Access, Found, Later
from ondol.sources.folder import FolderConnector, readable

SEOUL = ZoneInfo("Asia/Seoul")
DAY = Interval.of_day(dt.date(2026, 1, 5), SEOUL)


@pytest.fixture
def day(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox/2026-01-05"
    folder.mkdir(parents=True)
    return folder


def connector(home: Path, path: str = "inbox/{date}") -> FolderConnector:
    source = FolderSource(id="share", type="folder", path=path, settle_seconds=0)
    return FolderConnector(source, Access("hanbit", home, SEOUL, LocalSecrets(home)))


def listed(home: Path, path: str = "inbox/{date}", interval: Interval = DAY) -> list[Found]:
    return [found for found in connector(home, path).list(interval, "") if isinstance(found, Found)]


def test_a_name_in_cp949_is_read_as_such_and_the_file_opens(tmp_path: Path, day: Path) -> None:
    (Path(os.fsdecode(os.fsencode(day) + b"/" + "회의 메모.txt".encode("cp949")))).write_bytes(b"x")
    [found] = listed(tmp_path)
    assert (found.name, found.location) == ("회의 메모.txt", "2026-01-05/회의 메모.txt")
    found.location.encode()
    with connector(tmp_path).open(found) as file:
        assert file.read() == b"x"


def test_bytes_that_are_no_text_at_all_are_escaped() -> None:
    assert readable(os.fsdecode(b"\xff\xfebad.csv")) == "\\xff\\xfebad.csv"


def test_links_out_broken_links_and_pipes_are_refused_by_name_and_never_opened(tmp_path: Path, day: Path) -> None:
    (day / "a.xlsx").symlink_to("/etc/passwd")
    (day / "b.xlsx").symlink_to(day / "nothing")
    os.mkfifo(day / "c.xlsx")
    (day / "d.xlsx").mkdir()
    found = listed(tmp_path)
    assert [f.name for f in found] == ["a.xlsx", "b.xlsx", "c.xlsx"]
    for file, reason in zip(found, ("leads out", "a link to nothing", "not a file"), strict=True):
        with pytest.raises(Rejected, match=reason), connector(tmp_path).open(file):
            pass


@pytest.mark.parametrize("swap", ["link", "pipe"])
def test_what_is_put_in_the_place_of_a_file_while_it_is_opened_is_not_read(
    tmp_path: Path, day: Path, monkeypatch: pytest.MonkeyPatch, swap: str
) -> None:
    (day / "a.csv").write_bytes(b"x")
    (tmp_path / "others.csv").write_bytes(b"another tenant's")
    [found] = listed(tmp_path)
    still = FolderConnector._wait_until_still

    def swapped(self: FolderConnector, path: Path, found: Found) -> None:
        still(self, path, found)
        path.unlink()
        path.symlink_to(tmp_path / "others.csv") if swap == "link" else os.mkfifo(path)

    monkeypatch.setattr(FolderConnector, "_wait_until_still", swapped)
    with pytest.raises(Later), connector(tmp_path).open(found):
        pytest.fail("it was opened")


@pytest.fixture
def deep_home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home that is cleared by `rm`: what lies deeper than Python's recursion reaches, pytest cannot clear away."""
    folder = Path(tempfile.mkdtemp(prefix="ondol-"))
    (folder / "inbox").mkdir()
    monkeypatch.chdir(folder / "inbox")
    yield folder
    monkeypatch.undo()
    subprocess.run(["rm", "-rf", folder], check=True)


def test_a_file_a_thousand_folders_down_is_found_and_a_path_too_long_for_the_system_is_told(deep_home: Path) -> None:
    def deeper(levels: int, name: str) -> None:
        for _ in range(levels):
            Path("d").mkdir()
            os.chdir("d")
        Path(name).write_bytes(b"x")

    deeper(1200, "a.csv")
    assert [f.name for f in listed(deep_home, "inbox")] == ["a.csv"]
    deeper(1000, "b.csv")
    with pytest.raises(NotAllowed, match="give it a shorter path"):
        listed(deep_home, "inbox")


def test_a_day_without_a_folder_is_empty_and_a_missing_source_is_down(tmp_path: Path, day: Path) -> None:
    assert listed(tmp_path, interval=Interval.of_day(dt.date(2026, 1, 6), SEOUL)) == []
    with pytest.raises(SourceDown, match="is not there"):
        listed(tmp_path, "elsewhere/{date}")


def test_without_dates_in_its_path_a_file_arrives_when_it_was_last_changed_and_never_in_the_future(
    tmp_path: Path,
) -> None:
    (tmp_path / "drop").mkdir()
    for name, year in (("a.csv", 2026), ("b.csv", 2099)):
        (tmp_path / "drop" / name).write_text("x")
        moment = dt.datetime(year, 1, 5, 12, tzinfo=SEOUL).timestamp()
        os.utime(tmp_path / "drop" / name, (moment, moment))
    now = dt.datetime.now(SEOUL)
    known, ahead = listed(tmp_path, "drop")
    assert known.arrived == dt.datetime(2026, 1, 5, 12, tzinfo=SEOUL)
    assert now <= ahead.arrived <= dt.datetime.now(SEOUL)
