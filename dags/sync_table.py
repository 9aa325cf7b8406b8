"""The DAG that syncs tables of one tenant when Airflow is asked to."""

# Airflow reads only files that say its name beside the word DAG: see its dag_discovery_safe_mode.
from ondol.operators.pools import tenants
from ondol.operators.sync_table import sync_table_dag

dag = sync_table_dag(tenants())
