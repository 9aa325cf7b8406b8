"""Import this before Airflow: it gives Airflow a home of its own, and keeps its own deprecations quiet."""

from __future__ import annotations

import os
import tempfile
import warnings

from ondol.settings import PROJECT

os.environ |= {
    "AIRFLOW_HOME": tempfile.mkdtemp(prefix="ondol-airflow-"),
    "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
    "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "sqlite://",
}
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import airflow.dag_processing.dagbag
    import airflow.serialization.serialized_objects  # noqa: F401
    from airflow.plugins_manager import get_timetables_plugins

    get_timetables_plugins()  # reads the plugins folder
