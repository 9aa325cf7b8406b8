"""The promises that every keeper of secrets makes, and those of the local one."""

from __future__ import annotations

from pathlib import Path

import pytest

from ondol import registry
from ondol.errors import FatalError
from ondol.secrets.base import Secrets
from ondol.secrets.local import LocalSecrets


@pytest.fixture(params=sorted(registry.SECRETS))
def secrets(request: pytest.FixtureRequest, tmp_path: Path) -> Secrets:
    return registry.load(registry.SECRETS, request.param)(tmp_path)


def write(home: Path, tenant: str, name: str, value: str, mode: int = 0o600) -> Path:
    path = home / "secrets" / tenant / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value)
    path.chmod(mode)
    return path


def test_a_secret_that_is_not_there_is_none_and_a_person_is_told_how(secrets: Secrets) -> None:
    assert secrets.get("hanbit", "office") is None
    assert "office" in secrets.how("hanbit", "office").lower()


def test_a_secret_comes_from_the_environment_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = LocalSecrets(tmp_path)
    write(tmp_path, "hanbit", "head-office", "from file 한글 \n")
    assert secrets.get("hanbit", "head-office") == "from file 한글 "
    monkeypatch.setenv("ONDOL_SECRET_HANBIT__HEAD_OFFICE", "from environment")
    assert secrets.get("hanbit", "head-office") == "from environment"
    how = secrets.how("hanbit", "head-office")
    assert "ONDOL_SECRET_HANBIT__HEAD_OFFICE" in how and f"{tmp_path}/secrets/hanbit/head-office" in how


def test_no_tenant_reads_the_secret_of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = LocalSecrets(tmp_path)
    write(tmp_path, "hanbit", "office", "a")
    monkeypatch.setenv("ONDOL_SECRET_HAN__BIT_OFFICE", "b")
    assert secrets.get("saeum", "office") is None
    assert secrets.get("han_", "bit-office") is None
    assert secrets.get("han", "bit-office") == "b"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_secret_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = write(tmp_path, "hanbit", "office", "hush", mode)
    with pytest.raises(FatalError, match=f"chmod 600 {path}") as told:
        LocalSecrets(tmp_path).get("hanbit", "office")
    assert "hush" not in str(told.value)


def test_what_is_no_one_secret_is_refused_without_showing_it(tmp_path: Path) -> None:
    write(tmp_path, "hanbit", "two", "hush\nhush\n")
    (tmp_path / "secrets/hanbit/link").symlink_to(write(tmp_path, "other", "office", "hush"))
    (tmp_path / "secrets/hanbit/folder").mkdir(0o700)
    for name in ("two", "link", "folder"):
        with pytest.raises(FatalError) as told:
            LocalSecrets(tmp_path).get("hanbit", name)
        assert "hush" not in str(told.value)


def test_an_empty_secret_is_none(tmp_path: Path) -> None:
    write(tmp_path, "hanbit", "office", "\n")
    assert LocalSecrets(tmp_path).get("hanbit", "office") is None
