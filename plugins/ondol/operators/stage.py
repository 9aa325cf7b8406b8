"""The operators: a stage of the pipeline as an Airflow task, and the task that says why a tenant has none."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from ondol.errors import FatalError

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage
    from airflow.sdk import Context

    from ondol.manifest import Stage


class StageOperator(BaseOperator):
    """Runs the stage that its task is called after, and hands on the URIs of its manifests.

    Args:
        tenant: the tenant's id.
        config_hash: of the tenant's resolved configuration: its change makes a new version of the DAG.
        inputs: the URIs of the manifests of the stage before; of one batch where the task is mapped.
    """

    template_fields = ("tenant", "config_hash", "inputs")

    def __init__(self, *, tenant: str, config_hash: str, inputs: str | Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tenant = tenant
        self.config_hash = config_hash
        self.inputs = inputs
        self._made: list[str] = []

    def execute(self, context: Context) -> str | list[str]:
        """Filter gives a list, one URI for each batch; the others one URI.

        Raises:
            AirflowFailException: for a FatalError, which no retry can help; any other error is retried.
        """
        from ondol.config.loader import load_tenant
        from ondol.operators.timetable import interval_of
        from ondol.pipeline import run_stage
        from ondol.settings import settings
        from ondol.stages.context import Params

        try:
            tenant = load_tenant(settings().tenants / f"{self.tenant}.yaml")
            made = run_stage(
                cast("Stage", self.task_id),
                tenant,
                interval_of(context["dag_run"], tenant.zone),
                context["run_id"],
                self._uris(),
                Params(force=context["params"]["force"], items=tuple(context["params"]["items"] or ())),
            )
        except FatalError as error:
            raise AirflowFailException(str(error)) from error
        self._made = made
        return made if self.task_id == "filter" else made[0]

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any]:
        """What the stage read and wrote, for Airflow's OpenLineage provider."""
        from airflow.providers.openlineage.extractors import OperatorLineage

        from ondol.config.loader import load_tenant
        from ondol.lineage import of_stage
        from ondol.pipeline import open_lake
        from ondol.settings import settings

        tenant = load_tenant(settings().tenants / f"{self.tenant}.yaml")
        lake = open_lake(tenant.tenant, tenant.lake)
        found = of_stage(cast("Stage", self.task_id), tenant, lake, self._made)
        return OperatorLineage(inputs=found.inputs, outputs=found.outputs, run_facets=found.facets)

    def _uris(self) -> list[str]:
        # Sliced, not iterated: to find the end of a mapped task's outputs, an iterator asks Airflow for one too many.
        return [self.inputs] if isinstance(self.inputs, str) else list(self.inputs[:])


class ConfigErrorOperator(BaseOperator):
    """Fails with what is wrong with a tenant's file."""

    template_fields: Collection[str] = ()

    def __init__(self, *, message: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.message = message

    def execute(self, context: Context) -> None:
        """Raise AirflowFailException with the message."""
        raise AirflowFailException(self.message)
