from __future__ import annotations

import re
import resource
import subprocess
import sys

import pytest

from ondol.cli.main import app


def commands() -> list[tuple[str, ...]]:
    groups = [
        (group.name or "", command)
        for group in app.registered_groups
        for command in group.typer_instance.registered_commands
    ]
    single = [(command.name or "",) for command in app.registered_commands]
    return single + [(name, command.name or command.callback.__name__) for name, command in groups]


def test_help_answers_at_once_and_names_every_command():
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    said = subprocess.run([sys.executable, "-m", "ondol", "--help"], capture_output=True, text=True, check=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert all(words[0] in said for words in commands())
    assert "..." not in re.sub(r"\[.*?\]", "", said.split("Commands:")[1]), "a summary is too long for its line"
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert seconds < 0.3


def test_nothing_heavy_is_imported_before_a_command_runs():
    script = "import sys, ondol.cli.main; print(*{m.partition('.')[0] for m in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert not {"rich", "pydantic", "yaml", "duckdb", "pyarrow", "pandas", "airflow", "psycopg2"} & set(loaded)


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_explains_itself_and_speaks_json(ondol, words):
    said = ondol(*words, "--help")
    assert said.code == 0
    assert "--json" in said.out or words in (("ui",), ("serve",)), (
        "only a server that never ends has no document to print"
    )


def test_an_error_is_its_message_alone(ondol):
    said = ondol("history", "hanbti")
    assert said.code == 1
    assert said.out == ""
    assert "Did you mean 'hanbit'?" in said.err
    assert "Traceback" not in said.err


def test_an_error_under_json_is_a_document_too(ondol):
    said = ondol("history", "../hanbit", "--json")
    assert said.code == 1
    assert said.json["kind"] == "ConfigError"
    assert "no tenant '../hanbit'" in said.json["error"]


def test_a_wrong_command_line_ends_with_two(ondol):
    assert ondol("run", "hanbit", "yesterday").code == 2
    assert ondol("nonsense").code == 2
    said = ondol("run", "hanbit", "2026-01-05", "--from", "crwal")
    assert (said.code, "Did you mean 'crawl'?" in said.err) == (2, True)
    said = ondol("run", "hanbit", "2026-01-05", "--item", "slaes")
    assert (said.code, "Did you mean 'sales'?" in said.err) == (2, True)


def test_a_reader_that_goes_away_is_no_crash(place):
    process = subprocess.run(
        f"{sys.executable} -m ondol version --json | true", shell=True, capture_output=True, text=True, check=True
    )
    assert "Traceback" not in process.stderr
