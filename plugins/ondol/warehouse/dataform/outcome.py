"""What becomes of a project's actions besides running them: the same on every engine."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from ondol.errors import FatalError
from ondol.warehouse.base import ActionResult
from ondol.warehouse.dataform.project import Action, Project, Target

Results = dict[Target, ActionResult]


def check_declared(project: Project, action: Action, tables: Collection[str]) -> None:
    """FatalError if a declaration names what none of the tenant's items load."""
    schema, table = action.target
    if schema != project.tenant or table not in tables:
        raise FatalError(
            f"{project.where(action.file, [table])} declares {schema}.{table}, but the items of "
            f"{project.tenant} load {sorted(tables)}"
        )


def blocked(action: Action, results: Mapping[Target, ActionResult]) -> ActionResult | None:
    """The result of an action that cannot run, since something that it needs did not end well."""
    stopped = [results[need] for need in action.needs if need in results and results[need].status != "done"]
    if not stopped:
        return None
    return ActionResult(action.name, action.kind, "blocked", message=f"{stopped[0].name} {stopped[0].status}")


def asserted(action: Action, rows: int, place: str) -> ActionResult:
    """The result of an assertion that found so many rows, kept in `place`."""
    if not rows:
        return ActionResult(action.name, action.kind, "done", 0)
    message = f"{action.name} found {rows} row{'s' * (rows > 1)}, kept in {place}"
    return ActionResult(action.name, action.kind, "failed", rows, message)


def withhold(project: Project, results: Results) -> None:
    """Mark as blocked what a failed assertion is about, and all that is made of it: built, but not to publish."""
    reasons: dict[Target, str] = {}
    for target, result in results.items():
        if result.kind == "assertion" and result.status == "failed":
            reasons.update(dict.fromkeys(_checked(project.by_target[target], results), result.message))
    for action in project.actions:
        about = [reasons[need] for need in action.needs if need in reasons]
        if about and action.kind != "assertion":
            reasons.setdefault(action.target, about[0])
        built = results.get(action.target)
        if action.target in reasons and built and built.status == "done":
            results[action.target] = replace(built, status="blocked", message=reasons[action.target])


def _checked(assertion: Action, results: Results) -> tuple[Target, ...]:
    """The tables that an assertion is about; tidy tables only if it reads nothing else."""
    if assertion.parent:
        return (assertion.parent,)
    marts = tuple(need for need in assertion.needs if need in results)
    return marts or assertion.needs
