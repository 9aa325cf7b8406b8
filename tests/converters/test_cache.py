from __future__ import annotations

from pathlib import Path

import pytest

from converters import VERSION, cache, export
from converters.lakes import LakeError
from converters.model import Column, Conversion, Range, Table
from converters.options import Limits, Options

SHA = "ab" * 32


def test_all_that_could_change_a_result_is_in_its_key() -> None:
    keys = [
        cache.key(SHA, "a.csv"),
        cache.key(SHA, "b.csv"),
        cache.key("cd" * 32, "a.csv"),
        cache.key(SHA, "a.csv", Options(limits=Limits(max_cells=9))),
        cache.key(SHA, "a.csv", Options(max_rows=9)),
        cache.key(SHA, "a.csv", Options(explain=True)),
        cache.key(SHA, "a.csv", Options(passwords=("x",))),
        cache.key(SHA, "a.csv", Options(passwords=("y",))),
    ]
    assert len(set(keys)) == len(keys)
    assert all(key.startswith(f"{VERSION}/") for key in keys)
    assert keys[0] == cache.keys()(SHA, "a.csv")


def test_the_order_of_passwords_changes_no_result_and_no_key() -> None:
    assert cache.key(SHA, "a", Options(passwords=("x", "y"))) == cache.key(SHA, "a", Options(passwords=("y", "x", "x")))


def test_a_key_tells_no_password_and_depends_on_the_installations_own_key(monkeypatch: pytest.MonkeyPatch) -> None:
    found = cache.passwords_hash(["열려라"])
    assert "열려라" not in found and len(found) == 32
    assert cache.passwords_hash([]) == ""
    monkeypatch.setenv("CONVERTER_KEY", "secret")
    assert cache.passwords_hash(["열려라"]) != found


def test_a_result_that_is_kept_comes_back_in_the_form_asked_for(tmp_path: Path) -> None:
    kept = cache.Cache(str(tmp_path / "kept"))
    table = Table("시트", 0, Range(0, 0, 1, 0), [Column(0, ("a",), "number", [1])], [1], [False])
    made = Conversion("a.csv", SHA, "csv", "ok", [table])
    export.save(made, tmp_path / "made", "json")
    key = cache.key(SHA, "a.csv")
    assert not kept.fetch(key, tmp_path / "back", "json")
    kept.put(key, tmp_path / "made", "json")
    assert kept.fetch(key, tmp_path / "back", "json")
    assert (tmp_path / "back").read_bytes() == (tmp_path / "made").read_bytes()
    assert (tmp_path / "back.json").read_bytes() == (tmp_path / "made.json").read_bytes()
    assert not kept.fetch(key, tmp_path / "back", "facts")


def test_a_quarantined_file_is_converted_anew(tmp_path: Path) -> None:
    kept = cache.Cache(str(tmp_path / "kept"))
    export.save(Conversion("a", SHA, None, "quarantined"), tmp_path / "made")
    kept.put("k", tmp_path / "made")
    assert not kept.fetch("k", tmp_path / "back")
    assert not cache.lasting("quarantined")
    assert all(map(cache.lasting, ("ok", "partial", "needs_password", "unsupported")))


def test_a_cache_is_a_folder_or_a_prefix_of_a_bucket() -> None:
    with pytest.raises(LakeError, match="gs://bucket"):
        cache.Cache("https://example.com/cache")
