from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import sys

import pytest
import yaml
from jsonschema import Draft7Validator

from ondol import embedded, settings

TEXT = (settings.PROJECT / "docker-compose.yaml").read_text()
COMPOSE = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]
ENVIRONMENT = COMPOSE["x-environment"]

ASK_AIRFLOW = """
import json, sys
from airflow.cli.cli_parser import get_parser
from airflow.configuration import retrieve_configuration_description
commands, parser = json.loads(sys.argv[1]), get_parser()
for command in commands:
    parser.parse_args(command)
known = retrieve_configuration_description(include_providers=True)
names = [f"AIRFLOW__{s}__{o}".upper() for s, section in known.items() for o in section["options"]]
print(json.dumps(names))
"""


def problems(document: dict) -> list[str]:
    """What the Compose specification's own schema says of a file.

    Source: schema/compose-spec.json of github.com/compose-spec/compose-spec (Apache-2.0), as Docker Compose 2.40 has.
    """
    schema = json.loads((settings.PROJECT / "tests/compose_spec.json").read_text())
    return [error.message for error in Draft7Validator(schema).iter_errors(document)]


def test_it_is_what_the_compose_specification_allows():
    assert problems(COMPOSE) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("services", "worker", "comand"), ["airflow"]),
        (("services", "redis", "healthcheck", "intervall"), "5s"),
        (("services", "init", "depends_on", "redis", "condition"), "healthy"),
        (("volumez",), {}),
    ],
)
def test_the_specification_is_strict_enough_to_find_a_slip(path, value):
    broken = copy.deepcopy(COMPOSE)
    place = broken
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    assert problems(broken)


def test_what_a_service_waits_for_is_there_and_can_become_what_it_waits_for():
    for service in SERVICES.values():
        for name, wanted in service.get("depends_on", {}).items():
            assert wanted["condition"] != "service_healthy" or "healthcheck" in SERVICES[name]


def test_no_service_can_write_but_where_a_volume_is():
    assert [name for name, service in SERVICES.items() if not service.get("read_only")] == []
    named = {mount.partition(":")[0] for service in SERVICES.values() for mount in service.get("volumes", [])}
    assert named == set(COMPOSE["volumes"])


def airflow_words() -> list[list[str]]:
    """What follows `airflow` in each command and health check."""
    lines = [service.get("command", []) for service in SERVICES.values()]
    lines += [service.get("healthcheck", {}).get("test", [])[1:] for service in SERVICES.values()]
    return [line[1:] for line in lines if line[:1] == ["airflow"]]


def test_airflow_takes_every_command_and_knows_every_variable(tmp_path):
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__EXECUTOR": ENVIRONMENT["AIRFLOW__CORE__EXECUTOR"],
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql+psycopg2://nobody@/none",  # parsed, never opened
    }
    words = airflow_words()
    assert len(words) == 8
    command = [sys.executable, "-c", ASK_AIRFLOW, json.dumps(words)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    known = json.loads(done.stdout.splitlines()[-1])
    assert {name for name in ENVIRONMENT if name.startswith("AIRFLOW__")} <= set(known)


def test_ondol_knows_every_variable_that_is_its_own():
    told = set(re.findall(r"^\| (ONDOL_\w+) \|", settings.__doc__, re.MULTILINE))
    assert {name for name in ENVIRONMENT if name.startswith("ONDOL_")} <= told


def test_postgres_has_every_database_that_is_named():
    made = re.findall(r"CREATE DATABASE (\w+)", COMPOSE["configs"]["databases"]["content"])
    named = {value.rpartition("/")[2] for value in ENVIRONMENT.values() if "@postgres/" in value}
    assert set(made) == named == set(embedded.DATABASES)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_that_stays_up_says_whether_it_is_healthy(name):
    service = SERVICES[name]
    assert name == "init" or ("healthcheck" in service and service["restart"] == "unless-stopped")


def test_every_secret_comes_from_outside_and_has_no_default():
    used = re.findall(r"\$\{(\w+)(.*?)\}", TEXT)
    assert {default for _, default in used} == {":?"}
    secret = {name for name in ENVIRONMENT if re.search(r"_KEY$|SECRET|PASSWORD$", name)}
    assert len(secret) == 3
    assert all(re.fullmatch(r"\$\{\w+:\?\}", ENVIRONMENT[name]) for name in secret)


def test_only_the_ui_is_reachable_and_only_from_this_machine():
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert ports == {"api-server": ["127.0.0.1:8080:8080"]}


def test_the_converter_that_reads_what_customers_send_has_no_secret_and_no_data():
    converter = SERVICES["converter"]
    assert not any(converter[part] for part in ("environment", "volumes", "depends_on"))
    host = re.fullmatch(r"http://(\w+):(\d+)", ENVIRONMENT["ONDOL_CONVERTER"])
    assert host[1] in SERVICES
    assert converter["command"][-2] == host[2]


def test_all_of_ondol_runs_the_same_image():
    assert {s["image"] for name, s in SERVICES.items() if name not in ("postgres", "redis")} == {"ondol"}
    copied = re.findall(r"^COPY (.*) \S+$", COMPOSE["x-ondol"]["build"]["dockerfile_inline"], re.MULTILINE)
    assert all((settings.PROJECT / path).exists() for line in copied for path in line.split())
