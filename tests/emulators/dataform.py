"""Dataform's service on this machine: its own compiler, its library's messages over gRPC, and BigQuery's emulator.

There is no emulator of it to be had. This one serves the methods that Ondol calls to the real client: it compiles a
folder, runs an invocation's actions in their order as the service does (an assertion is a view that must be empty; what
depends on a failure is skipped), and keeps what became of them.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import grpc
from google.api_core.exceptions import GoogleAPICallError
from google.cloud import bigquery
from google.cloud import dataform_v1 as api

from ondol.warehouse.dataform import toolchain

RUNNING = api.WorkflowInvocation.State.RUNNING
DONE = api.WorkflowInvocationAction.State
KINDS = {"table": "TABLE", "view": "VIEW", "incremental": "INCREMENTAL_TABLE"}


class Service:
    """Repositories that all hold one folder.

    Args:
        folder: the Dataform project.
        client: runs the SQL.
    """

    def __init__(self, folder: Path, client: bigquery.Client) -> None:
        self.folder = folder
        self.client = client
        self.commit = "0" * 40
        self.compiled: dict[str, list[Any]] = {}
        self.invocations: dict[str, Any] = {}
        self.actions: dict[str, list[Any]] = {}
        self.calls: list[str] = []
        self.failures: list[grpc.StatusCode] = []
        self.go_on = threading.Event()
        self.go_on.set()
        self._numbers = itertools.count(1)

    def CreateCompilationResult(self, request: Any) -> Any:
        given = request.compilation_result
        if given.git_commitish != "main":
            raise LookupError(f"no branch {given.git_commitish}")
        config = given.code_compilation_config
        tops = [self.folder / name for name in ("definitions", "includes")]
        files = [path for top in tops for path in sorted(top.rglob("*")) if path.is_file()]
        files += [self.folder / name for name in ("workflow_settings.yaml", "package.json")]
        graph = toolchain.compile_graph(self.folder, files, config.vars["tenant"], config.default_database)
        name = f"{request.parent}/compilationResults/{next(self._numbers)}"
        errors = graph.get("graphErrors", {}).get("compilationErrors", [])
        self.compiled[name] = [] if errors else list(_compiled(graph, config.assertion_schema))
        return api.CompilationResult(
            name=name,
            resolved_git_commit_sha=self.commit,
            dataform_core_version="3.0.62",
            compilation_errors=[
                api.CompilationResult.CompilationError(path=e.get("fileName", ""), message=e["message"]) for e in errors
            ],
        )

    def QueryCompilationResultActions(self, request: Any) -> Any:
        """Two a page, so that a client that forgets the others is found out."""
        start = int(request.page_token or 0)
        every = self.compiled[request.name]
        after = str(start + 2) if start + 2 < len(every) else ""
        return api.QueryCompilationResultActionsResponse(
            compilation_result_actions=every[start : start + 2], next_page_token=after
        )

    def CreateWorkflowInvocation(self, request: Any) -> Any:
        given = request.workflow_invocation
        given.name = f"{request.parent}/workflowInvocations/{next(self._numbers)}"
        given.state = RUNNING
        self.invocations[given.name] = given
        threading.Thread(target=self._run, args=[given], daemon=True).start()
        return given

    def GetWorkflowInvocation(self, request: Any) -> Any:
        return self.invocations[request.name]

    def ListWorkflowInvocations(self, request: Any) -> Any:
        return api.ListWorkflowInvocationsResponse(workflow_invocations=list(self.invocations.values()))

    def QueryWorkflowInvocationActions(self, request: Any) -> Any:
        return api.QueryWorkflowInvocationActionsResponse(workflow_invocation_actions=self.actions[request.name])

    def _run(self, invocation: Any) -> None:
        self.go_on.wait()
        wanted = {(t.schema, t.name) for t in invocation.invocation_config.included_targets}
        every = {(a.target.schema, a.target.name): a for a in self.compiled[invocation.compilation_result]}
        needs = {target: _needs(every[target]) & wanted for target in wanted}
        states: dict[tuple[str, str], Any] = {}
        done = self.actions[invocation.name] = []
        for target in TopologicalSorter(needs).static_order():
            reason = ""
            if any(states[need] != DONE.SUCCEEDED for need in needs[target]):
                states[target] = DONE.SKIPPED
            else:
                reason = self._act(every[target])
                states[target] = DONE.FAILED if reason else DONE.SUCCEEDED
            done.append(
                api.WorkflowInvocationAction(
                    target=every[target].target, state=states[target], failure_reason=reason,
                    bigquery_action={"job_id": f"job-{target[1]}"})
            )  # fmt: skip
        failed = any(state != DONE.SUCCEEDED for state in states.values())
        invocation.state = api.WorkflowInvocation.State.FAILED if failed else api.WorkflowInvocation.State.SUCCEEDED

    def _act(self, action: Any) -> str:
        """Why it failed; empty if it did not."""
        name = f"`{action.target.database}.{action.target.schema}.{action.target.name}`"
        try:
            if "relation" in action:
                made = action.relation
                kind = "VIEW" if made.relation_type.name == "VIEW" else "TABLE"
                layout = f" PARTITION BY {made.partition_expression}" if made.partition_expression else ""
                layout += f" CLUSTER BY {', '.join(made.cluster_expressions)}" if made.cluster_expressions else ""
                create = f"CREATE OR REPLACE {kind} {name}{layout} AS {made.select_query}"
                self._query(*made.pre_operations, create, *made.post_operations)
            elif "operations" in action:
                self._query(*action.operations.queries)
            elif "assertion" in action:
                self._query(f"CREATE OR REPLACE VIEW {name} AS {action.assertion.select_query}")
                [[count]] = self._query(f"SELECT COUNT(*) FROM {name}")
                return f"Assertion failed: expected zero rows but got {count}" if count else ""
        except GoogleAPICallError as error:
            return str(error.message)
        return ""

    def _query(self, *texts: str) -> Any:
        rows: Any = []
        for text in texts:
            rows = self.client.query_and_wait(text)
        return rows


@contextmanager
def serve(service: Service) -> Iterator[str]:
    """The host:port where the service answers; it says what failed as the real one does."""

    def answer(name: str) -> Any:
        method = getattr(service, name)

        def called(request: Any, context: Any) -> Any:
            service.calls.append(name)
            if service.failures:
                context.abort(service.failures.pop(0), "said so")
            try:
                return method(request)
            except LookupError as error:
                context.abort(grpc.StatusCode.NOT_FOUND, str(error))

        kind = getattr(api, f"{name}Request")
        return grpc.unary_unary_rpc_method_handler(
            called, request_deserializer=kind.deserialize, response_serializer=lambda made: type(made).serialize(made)
        )

    names = [name for name in vars(Service) if name[0].isupper()]
    handlers = {name: answer(name) for name in names}
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("google.cloud.dataform.v1.Dataform", handlers),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        service.go_on.set()
        server.stop(0).wait()


def _needs(action: Any) -> set[tuple[str, str]]:
    kind = next(kind for kind in ("relation", "operations", "assertion", "declaration") if kind in action)
    return {(need.schema, need.name) for need in getattr(getattr(action, kind), "dependency_targets", ())}


def _compiled(graph: dict[str, Any], assertions: str) -> Iterator[Any]:
    """The compiler's graph as the service tells it."""

    def target(raw: dict[str, str]) -> Any:
        return api.Target(**{**raw, **({"schema": assertions} if raw["schema"] == "_assertions" else {})})

    for raw in (raw for kind in ("declarations", "tables", "operations", "assertions") for raw in graph.get(kind, [])):
        described = [
            {"path": c["path"], "description": c.get("description", "")}
            for c in raw.get("actionDescriptor", {}).get("columns", [])
        ]
        about = {"relation_descriptor": {"columns": described}}
        needs = {"dependency_targets": [target(need) for need in raw.get("dependencyTargets", ())]}
        made = {"target": target(raw["target"]), "file_path": raw.get("fileName", "")}
        if raw in graph.get("tables", []):
            storage = raw.get("bigquery", {})
            made["relation"] = {
                **about, **needs,
                "relation_type": KINDS[raw["type"]],
                "select_query": raw["query"],
                "pre_operations": raw.get("preOps", []),
                "post_operations": raw.get("postOps", []),
                "partition_expression": storage.get("partitionBy", ""),
                "cluster_expressions": storage.get("clusterBy", []),
            }  # fmt: skip
        elif raw in graph.get("operations", []):
            made["operations"] = {**about, **needs, "queries": raw["queries"]}
        elif raw in graph.get("assertions", []):
            parent = {"parent_action": target(raw["parentAction"])} if "parentAction" in raw else {}
            made["assertion"] = {**about, **needs, **parent, "select_query": raw["query"]}
        else:
            made["declaration"] = about
        yield api.CompilationResultAction(**made)
