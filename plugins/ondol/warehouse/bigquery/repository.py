"""Dataform's own service: a repository in the cloud is compiled for the tenant, and its actions run there.

The tenant is the default schema and the variable `tenant`, as on all engines; only the actions that its models need are
invoked, incremental tables in full. What fails stops what depends on it; its failing rows stay visible in the
assertion's view in the dataset <tenant>_assertions.

Source: Dataform API, projects.locations.repositories.compilationResults and .workflowInvocations.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ondol.config.tenant import Transform
from ondol.errors import FatalError, RetriableError
from ondol.faults import point
from ondol.warehouse.base import ActionResult
from ondol.warehouse.bigquery.client import JOB_SECONDS, REQUEST_SECONDS, RETRY_SECONDS, Client
from ondol.warehouse.bigquery.errors import telling
from ondol.warehouse.bigquery.runner import check
from ondol.warehouse.bigquery.sql import Sql
from ondol.warehouse.dataform import outcome
from ondol.warehouse.dataform.project import Action, Project, Target, in_order

if TYPE_CHECKING:
    from google.cloud import dataform_v1 as dataform

POLL_SECONDS = 5.0
"""Between two looks at an invocation; the first ones come sooner."""
PAGE = 200
ADVICE = {
    "accessDenied": "give this service account roles/dataform.editor on the repository, and the repository's own "
    "roles/bigquery.jobUser on the project and roles/bigquery.dataEditor on the tenants' datasets",
    "notFound": "check the repository and the branch of ONDOL_DATAFORM",
    "rateLimitExceeded": "the project's quota of Dataform requests: run fewer tenants at once",
}


class Repository:
    """One repository, for one tenant.

    Args:
        name: projects/P/locations/L/repositories/R.
        commitish: the branch, tag or commit of it.
    """

    def __init__(self, client: Client, name: str, commitish: str) -> None:
        self.client = client
        self.name = name
        self.commitish = commitish
        self.compiled = ""

    @cached_property
    def api(self) -> dataform.DataformClient:
        """The library's client; DATAFORM_EMULATOR_HOST needs no credentials."""
        from google.cloud import dataform_v1 as dataform

        address = os.environ.get("DATAFORM_EMULATOR_HOST")
        if not address:
            return dataform.DataformClient()
        import grpc
        from google.cloud.dataform_v1.services.dataform.transports import DataformGrpcTransport

        return dataform.DataformClient(transport=DataformGrpcTransport(channel=grpc.insecure_channel(address)))

    def compile(self, folder: Path, models: Transform | str) -> Project:
        """The actions that the tenant's models need, as the service compiles them.

        Args:
            folder: the same project here, for the lines that messages name.

        Raises:
            FatalError: it does not compile, or a statement is refused, naming each file and line.
        """
        from google.cloud import dataform_v1 as dataform

        tenant, spec = self.client.tenant, Transform.of(models)
        config = dataform.CodeCompilationConfig(
            default_database=self.client.project,
            default_schema=tenant,
            default_location=self.client.location,
            assertion_schema=f"{tenant}_assertions",
            vars={**spec.vars, "tenant": tenant},
        )
        wanted = dataform.CompilationResult(git_commitish=self.commitish, code_compilation_config=config)
        with telling(f"compiling {self.name}@{self.commitish}", ADVICE):
            made = self.api.create_compilation_result(
                parent=self.name, compilation_result=wanted, retry=_retry(), timeout=REQUEST_SECONDS
            )
            if made.compilation_errors:
                lines = sorted(f"{error.path or self.name}: {error.message}" for error in made.compilation_errors)
                raise FatalError("the Dataform project does not compile:\n  " + "\n  ".join(lines))
            request = dataform.QueryCompilationResultActionsRequest(name=made.name, page_size=PAGE)
            pages = self.api.query_compilation_result_actions(request, retry=_retry(), timeout=REQUEST_SECONDS)
            actions = tuple(_action(found) for found in pages)
        self.compiled = made.name
        parts = (
            made.resolved_git_commit_sha,
            made.dataform_core_version,
            self.client.project,
            spec.model_dump_json(),
            tenant,
        )
        digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        project = in_order(Project(folder, tenant, spec, self.client.project, digest, actions))
        if not project.actions:
            raise FatalError(f"transform.models is {spec.models!r}, but {self.name} has no definitions/{models}/")
        for action in project.actions:
            try:
                check(project, action)
            except FatalError as error:
                raise FatalError(f"{project.where(action.file, getattr(error, 'near', ()))}: {error}") from error
        return project

    def run(self, project: Project) -> outcome.Results:
        """See Engine."""
        from google.cloud import dataform_v1 as dataform

        self._wait(self._running())
        self.client.make_dataset(f"{self.client.tenant}_assertions")
        targets = [action.target for action in project.actions if action.kind != "declaration"]
        config = dataform.InvocationConfig(
            included_targets=[
                dataform.Target(database=self.client.project, schema=schema, name=name) for schema, name in targets
            ],
            fully_refresh_incremental_tables_enabled=True,
        )
        wanted = dataform.WorkflowInvocation(compilation_result=self.compiled, invocation_config=config)
        with telling(f"running {self.name}", ADVICE):
            made = self.api.create_workflow_invocation(
                parent=self.name, workflow_invocation=wanted, retry=None, timeout=REQUEST_SECONDS
            )
        point("warehouse:transform:invoked")
        self._wait([made.name])
        seen = {_target(found.target): found for found in self._actions(made.name)}
        results: outcome.Results = {}
        for target in targets:
            results[target] = self._result(project.by_target[target], seen.get(target), results)
        return results

    def _running(self) -> list[str]:
        """Invocations about this tenant that a killed run left: two must not make one table at once."""
        from google.cloud import dataform_v1 as dataform

        request = dataform.ListWorkflowInvocationsRequest(parent=self.name, page_size=PAGE)
        with telling(f"what runs in {self.name}", ADVICE):
            found = self.api.list_workflow_invocations(request, retry=_retry(), timeout=REQUEST_SECONDS)
            return [
                run.name
                for run in found
                if run.state in (dataform.WorkflowInvocation.State.RUNNING, dataform.WorkflowInvocation.State.CANCELING)
                and any(target.schema == self.client.tenant for target in run.invocation_config.included_targets)
            ]

    def _wait(self, names: list[str]) -> None:
        """Until those invocations have ended; one that takes too long is cancelled."""
        from google.cloud.dataform_v1 import WorkflowInvocation

        waiting, pause, until = set(names), 0.1, time.monotonic() + JOB_SECONDS
        while waiting:
            name = min(waiting)
            with telling(f"waiting for {name}", ADVICE):
                run = self.api.get_workflow_invocation(name=name, retry=_retry(), timeout=REQUEST_SECONDS)
                if run.state not in (WorkflowInvocation.State.RUNNING, WorkflowInvocation.State.CANCELING):
                    waiting.remove(name)
                    continue
                if time.monotonic() > until:
                    self.api.cancel_workflow_invocation(request={"name": name}, timeout=REQUEST_SECONDS)
                    raise RetriableError(f"{name} took more than {JOB_SECONDS:.0f} s and was cancelled: look there")
            time.sleep(pause)
            pause = min(pause * 1.5, POLL_SECONDS)

    def _actions(self, name: str) -> Iterator[dataform.WorkflowInvocationAction]:
        from google.cloud import dataform_v1 as dataform

        request = dataform.QueryWorkflowInvocationActionsRequest(name=name, page_size=PAGE)
        with telling(f"what became of {name}", ADVICE):
            yield from self.api.query_workflow_invocation_actions(request, retry=_retry(), timeout=REQUEST_SECONDS)

    def _result(self, action: Action, found: Any, results: outcome.Results) -> ActionResult:
        """What became of one action, given what became of those before it."""
        from google.cloud.dataform_v1 import WorkflowInvocationAction

        state = WorkflowInvocationAction.State
        if found is None or found.state in (state.PENDING, state.RUNNING, state.CANCELLED):
            raise RetriableError(f"{action.name} was cancelled in {self.name}: run the stage again")
        if stopped := outcome.blocked(action, results):
            return stopped
        if found.state == state.SKIPPED:
            return ActionResult(action.name, action.kind, "blocked", message=found.failure_reason or "skipped")
        if found.state == state.FAILED:
            return self._failed(action, found)
        if action.kind == "assertion":
            return ActionResult(action.name, action.kind, "done", 0)
        table = self.client.table(action.name) if action.kind in ("table", "incremental") else None
        return ActionResult(action.name, action.kind, "done", table.num_rows if table else None)

    def _failed(self, action: Action, found: Any) -> ActionResult:
        """The failing rows of an assertion, if it ran; else why the action failed, and of which job."""
        if action.kind == "assertion":
            sql = Sql(self.client.project, action.target[0])
            try:
                [counted] = self.client.rows(sql.count(action.name))
            except FatalError:
                counted = {"n": 0}  # its SQL is wrong
            if counted["n"]:
                sample = self.client.rows(sql.some_rows(action.name, outcome.SAMPLE))
                return outcome.asserted(action, counted["n"], ".".join(action.target), sample)
        job = found.bigquery_action.job_id
        message = f"{action.file}: {found.failure_reason}{f' (job {job})' if job else ''}"
        return ActionResult(action.name, action.kind, "failed", message=message)


def _action(found: Any) -> Action:
    """An action as compiled by the service, as the compiler's graph says it."""
    from google.cloud.dataform_v1 import CompilationResultAction as Compiled

    kind = Compiled.pb(found).WhichOneof("compiled_object")
    made = getattr(found, kind)
    if kind not in ("relation", "assertion", "operations", "declaration"):
        raise FatalError(f"{found.file_path} is a {kind}: models are tables, views, assertions and operations")
    about: dict[str, Any] = {}
    queries = tuple(made.queries) if kind == "operations" else ()
    if kind in ("relation", "assertion"):
        queries = (made.select_query,)
    if kind == "relation":
        kinds = {"TABLE": "table", "VIEW": "view", "INCREMENTAL_TABLE": "incremental"}
        if made.relation_type.name not in kinds:
            raise FatalError(f"{found.file_path} is a {made.relation_type.name}: make it a table or a view")
        kind = kinds[made.relation_type.name]
        about = {
            "before": tuple(made.pre_operations),
            "after": tuple(made.post_operations),
            "partition": made.partition_expression,
            "cluster": tuple(made.cluster_expressions),
        }
    if kind == "assertion" and made.parent_action.name:
        about = {"parent": _target(made.parent_action)}
    described = getattr(made, "relation_descriptor", None)
    return Action(
        target=_target(found.target),
        kind=kind,
        file=found.file_path,
        queries=() if getattr(made, "disabled", False) else queries,
        tags=tuple(getattr(made, "tags", ())),
        needs=tuple(_target(need) for need in getattr(made, "dependency_targets", ())),
        columns=tuple((c.path[0], c.description) for c in described.columns if c.description) if described else (),
        **about,
    )


def _target(found: Any) -> Target:
    return found.schema, found.name


def _retry() -> Any:
    """Of calls that may be made again."""
    from google.api_core import exceptions
    from google.api_core.retry import Retry, if_exception_type

    passing = (exceptions.ServiceUnavailable, exceptions.ResourceExhausted, exceptions.InternalServerError)
    return Retry(if_exception_type(*passing), initial=1.0, maximum=10.0, timeout=RETRY_SECONDS)
