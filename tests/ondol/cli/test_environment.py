from __future__ import annotations

import shlex
import socket
import subprocess

import pytest


@pytest.mark.usefixtures("own_server")
def test_the_shell_gets_the_environment_that_airflow_needs(ondol):
    said = ondol("env")
    assert said.code == 0
    names = [line.removeprefix("export ").partition("=")[0] for line in said.out.splitlines()]
    assert {"AIRFLOW_HOME", "AIRFLOW__CORE__DAGS_FOLDER", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"} <= set(names)
    shell = subprocess.run(
        ["bash", "-c", f'eval {shlex.quote(said.out)}; printf %s "$AIRFLOW_HOME"'],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shell.stdout == ondol("env", "--json").json["AIRFLOW_HOME"]
    assert "secret" not in said.out.lower()
    assert "fernet" not in said.out.lower()


def test_a_port_that_is_taken_is_told_before_anything_starts(ondol):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = ondol("ui", "--port", taken.getsockname()[1])
    assert (said.code, "is taken" in said.err) == (1, True)
