"""Which class serves which name: explicit, lazy tables that grep can follow. One line here adds a backend."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ondol.errors import FatalError

SOURCES = {
    "folder": "ondol.sources.folder:FolderConnector",
    "gcs": "ondol.sources.gcs:GcsConnector",
    "sftp": "ondol.sources.sftp:SftpConnector",
}
LAKES = {
    "gcp": "ondol.lake.gcs:GcsLake",
    "local": "ondol.lake.local:LocalLake",
}
WAREHOUSES = {
    "gcp": "ondol.warehouse.bigquery.warehouse:BigQueryWarehouse",
    "local": "ondol.warehouse.duckdb:DuckDbWarehouse",
}
SECRETS = {
    "gcp": "ondol.secrets.local:LocalSecrets",
    "local": "ondol.secrets.local:LocalSecrets",
}
CONVERTERS = {
    "local": "ondol.conversion.local:LocalConverter",
    "service": "ondol.conversion.service:ServiceConverter",
    "job": "ondol.conversion.job:JobConverter",
}
SERVINGS = {
    "gcp": "ondol.serving.postgres:PostgresServing",
    "local": "ondol.serving.postgres:PostgresServing",
}


def load(table: dict[str, str], name: str) -> Any:
    """The class of that name, imported when first asked for; FatalError naming what there is."""
    if name not in table:
        raise FatalError(f"there is no {name!r}; there is: {', '.join(sorted(table))}")
    module, _, attribute = table[name].partition(":")
    return getattr(import_module(module), attribute)
