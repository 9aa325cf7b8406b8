"""One Airflow DAG for each tenants/*.yaml; a worker that runs a task builds only the DAG of that task."""

from airflow.sdk import get_parsing_context

from ondol.operators.dag_factory import tenant_dags
from ondol.settings import settings

globals().update(tenant_dags(settings().tenants, only=get_parsing_context().dag_id))
