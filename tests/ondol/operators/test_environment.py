"""Airflow's home on this machine: secrets, database, pools."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from ondol import embedded
from ondol.operators import environment
from ondol.operators.environment import password, prepare, variables

KNOWN = """
import json
from airflow.configuration import retrieve_configuration_description
known = retrieve_configuration_description(include_providers=True)
print(json.dumps([f"AIRFLOW__{s}__{o}".upper() for s, section in known.items() for o in section["options"]]))
"""


@pytest.fixture(scope="module")
def prepared(postgres_home: Path) -> Iterator[dict[str, str]]:
    """The environment of a home that is prepared once for this module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONDOL_HOME", str(postgres_home))
        yield prepare()


@pytest.fixture(autouse=True)
def at_home(prepared: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONDOL_HOME", prepared["ONDOL_HOME"])


def test_airflow_knows_every_variable(prepared: dict[str, str]) -> None:
    done = subprocess.run([sys.executable, "-c", KNOWN], env=prepared, capture_output=True, text=True, check=True)
    assert {name for name in variables() if name.startswith("AIRFLOW__")} <= set(
        json.loads(done.stdout.splitlines()[-1])
    )


def test_airflow_reaches_its_database_over_the_socket_with_both_drivers() -> None:
    import asyncio

    import sqlalchemy
    from sqlalchemy.ext.asyncio import create_async_engine

    query = sqlalchemy.text("SELECT current_database(), inet_client_addr()")
    engine = sqlalchemy.create_engine(variables()["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"])
    with engine.connect() as connection:
        assert connection.execute(query).one() == ("airflow", None)
    engine.dispose()

    async def ask() -> object:
        engine = create_async_engine(variables()["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC"])
        async with engine.connect() as connection:
            answer = (await connection.execute(query)).one()
        await engine.dispose()
        return answer

    assert asyncio.run(ask()) == ("airflow", None)


def test_secrets_are_in_files_that_only_their_owner_reads_and_in_no_variable() -> None:
    folder = Path(variables()["AIRFLOW_HOME"])
    shown = "\n".join(variables().values())
    configuration = (folder / "airflow.cfg").read_text()
    secrets = [line.partition(" = ")[2] for line in configuration.splitlines() if " = " in line]
    assert len(secrets) == 3
    for secret in (*secrets, password()):
        assert secret not in shown
    for name in ("airflow.cfg", "passwords.json"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600


def test_each_tenant_has_a_pool(prepared: dict[str, str]) -> None:
    connection = psycopg2.connect(embedded.uri("airflow"))
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT pool, slots FROM slot_pool")
        pools = dict(cursor.fetchall())
    connection.close()
    tenants = {path.stem for path in Path(prepared["ONDOL_TENANTS"]).glob("[!_]*.yaml")}
    assert tenants
    assert {pools[tenant] for tenant in tenants} == {4}


def test_preparing_again_keeps_the_secrets_and_takes_no_time() -> None:
    folder = Path(variables()["AIRFLOW_HOME"])
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    began = time.process_time()
    prepare()
    assert time.process_time() - began < 0.5
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def test_an_airflow_of_another_release_is_migrated_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assert environment._is_migrated()
    monkeypatch.setattr(environment, "version", lambda _: "99.0")
    assert not environment._is_migrated()


def test_lists_in_variables_keep_what_they_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "internal.example,127.0.0.1")
    monkeypatch.setenv("PATH", os.defpath)
    given = variables()
    assert given["NO_PROXY"] == "127.0.0.1,internal.example"
    assert given["PATH"].split(os.pathsep)[1:] == os.defpath.split(os.pathsep)
