"""The Dataform project as compiled for one tenant: its actions, in the order in which they run.

A tenant's project is definitions/<models>/ with definitions/common/ and includes/; the rest is other tenants'. The
graph is kept with the hash of what it was compiled from, so that the same files start no compiler.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from graphlib import TopologicalSorter
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ondol.config.tenant import Transform
from ondol.errors import FatalError
from ondol.warehouse.dataform import toolchain

SHARED = "common"
Target = tuple[str, str]
"""Schema and name of what an action makes."""


@dataclass(frozen=True)
class Action:
    """One action of the project, as Dataform compiled it.

    Args:
        kind: `declaration`, `table`, `view`, `incremental`, `assertion` or `operations`.
        file: of the project, such as definitions/retail/daily_sales.sqlx.
        queries: the one query of a table, view or assertion; the statements of an operation.
        before / after: pre_operations and post_operations.
        needs: what it reads or waits for.
        parent: the table whose config states this assertion.
        columns: what the config says of the columns.
        tags: what the config calls it by.
        partition / cluster: what it says of BigQuery's storage: an expression, and columns.
    """

    target: Target
    kind: str
    file: str
    queries: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    needs: tuple[Target, ...] = ()
    parent: Target | None = None
    columns: tuple[tuple[str, str], ...] = ()
    partition: str = ""
    cluster: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name without the schema."""
        return self.target[1]


@dataclass(frozen=True)
class Project:
    """A tenant's actions, each after what it needs.

    Args:
        folder: of the whole Dataform project.
        spec: the models, with variables and tags.
        database: the project name that compiled table names have in front.
        hash: of the files, the tenant and the versions that made it what it is.
    """

    folder: Path
    tenant: str
    spec: Transform
    database: str
    hash: str
    actions: tuple[Action, ...]

    @property
    def models(self) -> str:
        """The folder of the models."""
        return self.spec.models

    @cached_property
    def by_target(self) -> dict[Target, Action]:
        """The actions by what they make."""
        return {action.target: action for action in self.actions}

    def where(self, file: str, near: Iterable[str]) -> str:
        """`tenants/dataform/definitions/x.sqlx:12`: the file with the first line that one of the texts stands on."""
        return _where(self.folder, file, near)


def compile_project(
    folder: Path, models: Transform | str, tenant: str, cache: Path, database: str | None = None
) -> Project:
    """The project of that tenant, compiled unless `cache` has it.

    Args:
        folder: of the whole Dataform project.
        models: the folder under definitions/, if need be with variables and tags.
        cache: a folder for compiled graphs.
        database: the project that tables are in, instead of what workflow_settings.yaml says.

    Raises:
        FatalError: there are no such models; they do not compile, naming each file and line; Dataform is missing.
    """
    spec = Transform.of(models)
    files = _files(folder, spec.models)
    digest = _hash(folder, files, (tenant, database or "", spec.model_dump_json()))
    graph = _cached(folder, files, tenant, cache / f"{tenant}.json", digest, database, spec.vars)
    _check(folder, graph)
    named = str(graph["projectConfig"]["defaultDatabase"])
    return in_order(Project(folder, tenant, spec, named, digest, tuple(_actions(graph))))


def in_order(project: Project) -> Project:
    """Of all compiled actions those that the models need, each after what it needs."""
    every = project.by_target
    prefix, tags = f"definitions/{project.models}/", set(project.spec.tags)
    own = [action for action in every.values() if action.file.startswith(prefix)]
    wanted = _closure(every, [action.target for action in own if not tags or tags & set(action.tags)])
    if own and not wanted:
        there = sorted({tag for action in own for tag in action.tags})
        raise FatalError(f"transform.tags is {sorted(tags)}, but the models of {prefix} have the tags {there}")
    order = TopologicalSorter({target: every[target].needs for target in sorted(wanted)}).static_order()
    return replace(project, actions=tuple(every[target] for target in order))


def _files(folder: Path, models: str) -> list[Path]:
    definitions = folder / "definitions"
    if not (definitions / models).is_dir():
        there = sorted(path.name for path in definitions.glob("*") if path.is_dir() and path.name != SHARED)
        raise FatalError(f"transform.models is {models!r}, but {definitions} has the folders {there}")
    folders = [folder / "includes", definitions / SHARED, definitions / models]
    found = [path for top in folders for path in top.rglob("*") if path.is_file()]
    return sorted([*found, folder / "workflow_settings.yaml", folder / "package.json"])


def _hash(folder: Path, files: list[Path], asked: tuple[str, ...]) -> str:
    """Of all that decides what the marts will be, this engine included."""
    engine = sorted(Path(__file__).parent.glob("*.py"))
    digest = hashlib.sha256()
    for part in (*asked, toolchain.version(folder), version("sqlglot"), version("duckdb")):
        digest.update(f"{part}\n".encode())
    for file in [*files, *engine]:
        digest.update(f"{file.name}\n{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
        if file.is_relative_to(folder):
            digest.update(f"{file.relative_to(folder)}\n".encode())
    return digest.hexdigest()


def _cached(
    folder: Path,
    files: list[Path],
    tenant: str,
    kept: Path,
    digest: str,
    database: str | None,
    values: Mapping[str, str],
) -> dict[str, Any]:
    try:
        content = json.loads(kept.read_bytes())
        if content["hash"] == digest:
            return dict(content["graph"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        pass
    graph = toolchain.compile_graph(folder, files, tenant, database, values)
    kept.parent.mkdir(parents=True, exist_ok=True)
    fresh = kept.with_suffix(f".{digest[:16]}")
    fresh.write_text(json.dumps({"hash": digest, "graph": graph}, ensure_ascii=False))
    fresh.replace(kept)
    return graph


def _check(folder: Path, graph: dict[str, Any]) -> None:
    """Refuse a graph with errors; Dataform repeats some of them without the file, which say nothing more."""
    found = graph.get("graphErrors", {}).get("compilationErrors", [])
    named = [error for error in found if error.get("fileName", "index.js") != "index.js"] or found
    if named:
        lines = {
            f"{_where(folder, error.get('fileName', ''), _names(error['message']))}: {error['message']}"
            for error in named
        }
        raise FatalError("the Dataform project does not compile:\n  " + "\n  ".join(sorted(lines)))


def _where(folder: Path, file: str, near: Iterable[str]) -> str:
    path = folder / file
    place = f"{folder.parent.name}/{folder.name}/{file}"
    if not path.is_file():
        return place
    lines = [line.strip().lower() for line in path.read_text(encoding="utf-8").splitlines()]
    for text in near:
        needle = text.strip().lower()
        for number, line in enumerate(lines, 1):
            if needle and needle in line:
                return f"{place}:{number}"
    return place


def _names(message: str) -> list[str]:
    """What a compiler's message quotes, which is likely on the line that is wrong."""
    quoted = re.findall(r'"name":"([^"]+)"|"([^"{}]+)"|\'([^\']+)\'|^(\S+) is not defined', message)
    return ["".join(groups) for groups in quoted if "." not in "".join(groups)]


def _closure(every: dict[Target, Action], todo: list[Target]) -> set[Target]:
    """Those actions, what they need, and the assertions stated about them."""
    wanted: set[Target] = set()
    while todo:
        target = todo.pop()
        if target not in wanted and target in every:
            wanted.add(target)
            todo += every[target].needs
            todo += [other for other, action in every.items() if action.parent == target]
    return wanted


def _actions(graph: dict[str, Any]) -> list[Action]:
    actions = [_action(raw, "declaration", ()) for raw in graph.get("declarations", [])]
    actions += [_action(raw, raw["type"], (raw.get("query", ""),)) for raw in graph.get("tables", [])]
    actions += [_action(raw, "assertion", (raw.get("query", ""),)) for raw in graph.get("assertions", [])]
    actions += [_action(raw, "operations", raw.get("queries", ())) for raw in graph.get("operations", [])]
    return actions


def _action(raw: dict[str, Any], kind: str, queries: Sequence[str]) -> Action:
    described = raw.get("actionDescriptor", {}).get("columns", [])
    storage = raw.get("bigquery", {})
    return Action(
        target=_target(raw["target"]),
        kind=kind,
        file=raw.get("fileName", ""),
        queries=() if raw.get("disabled") else tuple(queries),
        before=tuple(raw.get("preOps", ())),
        after=tuple(raw.get("postOps", ())),
        needs=tuple(_target(need) for need in raw.get("dependencyTargets", ())),
        parent=_target(raw["parentAction"]) if "parentAction" in raw else None,
        columns=tuple((column["path"][0], column["description"]) for column in described if column.get("description")),
        partition=storage.get("partitionBy", ""),
        cluster=tuple(storage.get("clusterBy", ())),
        tags=tuple(raw.get("tags", ())),
    )


def _target(raw: dict[str, str]) -> Target:
    return raw["schema"], raw["name"]
