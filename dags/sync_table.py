"""The DAG that syncs tables of one tenant when it is asked to."""

from ondol.operators.pools import tenants
from ondol.operators.sync_table import sync_table_dag

dag = sync_table_dag(tenants())
