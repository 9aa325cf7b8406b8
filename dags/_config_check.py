"""No DAG: it puts what is wrong with the tenants' files on Airflow's import banner.

An error of a file marks all DAGs of that file stale. This one has none, so the tenants of tenants.py go on.
"""

from ondol.config.loader import load_all
from ondol.errors import ConfigError
from ondol.settings import settings

if wrong := [str(entry.error) for entry in load_all(settings().tenants) if entry.error]:
    raise ConfigError("\n".join(wrong))
