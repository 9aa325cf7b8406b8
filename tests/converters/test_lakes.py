"""What a URI may name, and what it must never."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from converters.lakes import LakeError, Lakes, Missing, Outside


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """A folder with a file, beside a folder with a secret."""
    root = tmp_path / "lake"
    (root / "raw").mkdir(parents=True)
    (root / "raw" / "매출 1%.csv").write_text("a")
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "lakes").mkdir()
    (tmp_path / "lakes" / "other").write_text("secret")
    return root


def read(lakes: Lakes, uri: str) -> bytes:
    with lakes.open(uri) as stream:
        return stream.read()


def test_a_file_below_a_root_is_read_by_uri_and_by_path(lake: Path) -> None:
    file = lake / "raw" / "매출 1%.csv"
    assert read(Lakes([str(lake)]), file.as_uri()) == b"a"
    assert read(Lakes([lake.as_uri()]), str(file)) == b"a"


def test_a_root_may_itself_be_reached_through_a_link(lake: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(lake)
    assert read(Lakes([str(tmp_path / "link")]), f"{tmp_path}/link/raw/매출 1%.csv") == b"a"


@pytest.mark.parametrize(
    "uri",
    [
        "file://{tmp}/secret",
        "{tmp}/secret",
        "{lake}/../secret",
        "file://{lake}/../secret",
        "file://{lake}/%2e%2e/secret",
        "file://{lake}/raw/..%2f..%2f..%2fsecret",
        "file://{lake}/./raw",
        "{tmp}/lakes/other",
        "{lake}",
        "file://{lake}",
        "file://localhost{lake}/raw/a",
        "file://evil.example{lake}/raw/a",
        "http://127.0.0.1/{lake}/raw/a",
        "http://169.254.169.254/computeMetadata/v1/",
        "gopher://x",
        "gs://bucket/object",
        "FILE://{tmp}/secret",
        "file:{lake}/raw/a",
        "/{lake}/raw/a",
        "raw/a",
        "file://{lake}/raw/a%00b",
        "",
        "{lake}\0/raw",
    ],
)
def test_what_is_not_below_a_root_is_refused(lake: Path, tmp_path: Path, uri: str) -> None:
    with pytest.raises(Outside):
        read(Lakes([str(lake)]), uri.format(lake=lake, tmp=tmp_path))


def test_no_link_is_followed_and_nothing_but_files_is_opened(lake: Path, tmp_path: Path) -> None:
    (lake / "file-link").symlink_to(tmp_path / "secret")
    (lake / "folder-link").symlink_to(tmp_path)
    os.mkfifo(lake / "pipe")
    for name in ("file-link", "folder-link/secret", "pipe", "raw"):
        with pytest.raises(Outside):
            read(Lakes([str(lake)]), f"{lake}/{name}")
    for name in ("gone", "gone/a", "x" * 300):
        with pytest.raises(Missing):
            read(Lakes([str(lake)]), f"{lake}/{name}")


def test_without_a_root_nothing_is_reached(lake: Path) -> None:
    with pytest.raises(Outside, match="no root"):
        read(Lakes([]), f"{lake}/raw/a")


@pytest.mark.parametrize("root", ["http://example.com", "ftp://x/y", "gs://", "file://host/folder"])
def test_other_roots_are_refused(root: str) -> None:
    with pytest.raises(LakeError, match="no root"):
        Lakes([root])


def test_an_object_is_put_whole_and_replaces_what_is_there(lake: Path, tmp_path: Path) -> None:
    lakes = Lakes([str(lake)])
    uri = f"{lake}/new/deep/a"
    assert not lakes.exists(uri)
    for text in ("first", "second"):
        (tmp_path / "source").write_text(text)
        lakes.put(uri, tmp_path / "source")
        assert read(lakes, uri) == text.encode()
    assert os.listdir(lake / "new/deep") == ["a"]  # noqa: PTH208 - with what begins with a dot
