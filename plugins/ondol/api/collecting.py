"""collect-now: who runs it. Where Airflow serves the API, its DAG does (ondol.operators.collect); else the service."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Protocol

from ondol.config.loader import load_all
from ondol.config.tenant import Tenant
from ondol.embedded import database_uri
from ondol.ledger.events import Ledger
from ondol.settings import settings

log = logging.getLogger(__name__)


class Collector(Protocol):
    """Runs a tenant's stages for what arrived on a day."""

    def ask(self, tenant: Tenant, number: str, who: str, date: dt.date, items: tuple[str, ...]) -> dict[str, Any]:
        """Ask for a run; the same number asks once. What `show` gives.

        Raises:
            Refused: it cannot be run now.
        """
        ...

    def show(self, tenant: str, number: str) -> dict[str, Any] | None:
        """How far it is, as models.Collection; None if the tenant has no run of that number."""
        ...

    def running(self) -> Any:
        """A context manager around all the time that the service is up."""
        ...


class InService:
    """Runs them in threads of this process. What a service that was killed left over, the next one takes up again."""

    def __init__(self, at_once: int = 2) -> None:
        self._at_once = at_once
        self._pool: ThreadPoolExecutor | None = None

    def ask(self, tenant: Tenant, number: str, who: str, date: dt.date, items: tuple[str, ...]) -> dict[str, Any]:
        """See Collector."""
        with Ledger(database_uri(), tenant.tenant) as ledger:
            ledger.collections.ask(number, who, date, items)
        self._submit(tenant.tenant, number)
        return self.show(tenant.tenant, number) or {}

    def show(self, tenant: str, number: str) -> dict[str, Any] | None:
        """See Collector."""
        with Ledger(database_uri(), tenant) as ledger:
            row = ledger.collections.show(number)
        return row and {**{key: row[key] for key in ("id", "state", "date", "items", "reason", "counts")},
                        "runs_in": "service"}  # fmt: skip

    @contextmanager
    def running(self) -> Iterator[None]:
        """See Collector."""
        self._pool = ThreadPoolExecutor(self._at_once, thread_name_prefix="collect")
        try:
            for loaded in load_all(settings().tenants):
                if loaded.tenant:
                    with Ledger(database_uri(), loaded.tenant.tenant) as ledger:
                        for row in ledger.collections.unfinished():
                            self._submit(loaded.tenant.tenant, row["id"])
            yield
        finally:
            self._pool.shutdown(cancel_futures=True)  # what runs comes to its end; what waits, the next service does

    def _submit(self, tenant: str, number: str) -> None:
        if self._pool:
            self._pool.submit(_run, tenant, number)


def _run(tenant: str, number: str) -> None:
    """Run it, if that is not done yet; of two that run it at once the second waits, and finds it done."""
    from ondol.pipeline import run
    from ondol.stages.context import Params

    with Ledger(database_uri(), tenant) as ledger, ledger.exclusive(f"collect:{number}"):
        row = ledger.collections.show(number)
        if not row or row["state"] in ("done", "failed"):
            return
        ledger.collections.running(number)
        try:
            result = run(tenant, row["date"], params=Params(items=tuple(row["items"])))
        except Exception as error:
            log.exception("collection %s failed tenant=%s", number, tenant)
            ledger.collections.ended(number, reason=str(error) or type(error).__name__)
        else:
            ledger.collections.ended(number, result.counts)
