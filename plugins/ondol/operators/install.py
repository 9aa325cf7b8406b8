"""`python -m ondol.operators.install`: Airflow's database migrated, and a pool for each tenant. Repeat it at will."""

from __future__ import annotations


def main() -> None:
    """Bring the database that Airflow is configured with up to date."""
    from airflow.utils.db import upgradedb

    from ondol.operators import pools

    upgradedb()
    pools.ensure(pools.tenants())


if __name__ == "__main__":
    main()
