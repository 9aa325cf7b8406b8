"""What Airflow takes from its plugins folder: the tenants' timetable, and the listener that makes their pools."""

from airflow.plugins_manager import AirflowPlugin

from ondol.operators import pools
from ondol.operators.timetable import DayTimetable


class OndolPlugin(AirflowPlugin):
    """Registers Ondol with Airflow."""

    name = "ondol"
    timetables = [DayTimetable]  # noqa: RUF012 - as Airflow declares it
    listeners = [pools]  # noqa: RUF012
