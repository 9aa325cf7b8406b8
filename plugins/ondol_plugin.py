"""What Airflow takes from its plugins folder: the tenants' timetable, the listener that makes their pools, the API."""

from airflow.plugins_manager import AirflowPlugin

from ondol.operators import pools
from ondol.operators.api import LazyApp
from ondol.operators.timetable import DayTimetable


class OndolPlugin(AirflowPlugin):
    """Registers Ondol with Airflow."""

    name = "ondol"
    timetables = [DayTimetable]  # noqa: RUF012 - as Airflow declares it
    listeners = [pools]  # noqa: RUF012
    fastapi_apps = [{"app": LazyApp(), "url_prefix": "/ondol", "name": "Ondol"}]  # noqa: RUF012
