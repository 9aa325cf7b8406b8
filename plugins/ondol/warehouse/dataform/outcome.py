"""What becomes of a project's actions besides running them: the same on every engine."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from ondol.errors import FatalError
from ondol.warehouse.base import ActionResult
from ondol.warehouse.dataform.project import Action, Project, Target

Results = dict[Target, ActionResult]
SAMPLE = 20
"""How many of an assertion's failing rows are shown; all are kept."""


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


def asserted(action: Action, rows: int, place: str, sample: Iterable[Mapping[str, object]] = ()) -> ActionResult:
    """The result of an assertion that found so many rows, kept in `place`."""
    if not rows:
        return ActionResult(action.name, action.kind, "done", 0)
    message = f"{action.name} found {rows} row{'s' * (rows > 1)}, kept in {place}"
    shown = tuple({name: _plain(value) for name, value in row.items()} for row in sample)
    return ActionResult(action.name, action.kind, "failed", rows, message, place, shown)


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


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
