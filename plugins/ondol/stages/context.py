"""What a stage is given besides its manifest: the tenant, the interval, and where to read and write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ondol.config.loader import rules_hash
from ondol.config.tenant import Tenant
from ondol.conversion.base import Converter
from ondol.errors import Rejected
from ondol.interval import Interval
from ondol.lake.base import Lake
from ondol.ledger.events import Event, Ledger
from ondol.manifest import Entry, Manifest, Stage
from ondol.secrets.base import Secrets
from ondol.serving.base import Serving
from ondol.warehouse.base import Warehouse


@dataclass(frozen=True, slots=True)
class Params:
    """What a person may ask of one run.

    Args:
        force: process files again though nothing about them changed.
        items: only these items; all if empty.
    """

    force: bool = False
    items: tuple[str, ...] = ()


@dataclass(slots=True)
class StageContext:
    """One tenant's run. Stages keep no state of their own and use no clock: `interval` says what time it is about.

    Args:
        run_id: keeps the manifests of two runs of one interval apart.
        secrets: the tenant's secrets, by the names that its YAML gives.
        converter: what convert has files converted by.
    """

    tenant: Tenant
    interval: Interval
    run_id: str
    home: Path
    lake: Lake
    ledger: Ledger
    warehouse: Warehouse
    serving: Serving
    secrets: Secrets
    converter: Converter
    params: Params = Params()
    _events: list[Event] = field(default_factory=list)

    @property
    def run_key(self) -> str:
        """Tenant and data interval."""
        return f"{self.tenant.tenant}@{self.interval.key()}"

    def rules(self, entry: Entry) -> str:
        """The hash of the rules that apply to a recognised file."""
        return rules_hash(self.tenant.item(entry.item)) if entry.item else ""

    def passwords(self) -> tuple[str, ...]:
        """The tenant's passwords for encrypted files, as far as they are there."""
        found = (self.secrets.get(self.tenant.tenant, name) for name in self.tenant.passwords)
        return tuple(password for password in found if password is not None)

    def event(
        self,
        stage: Stage,
        decision: str,
        entry: Entry | None = None,
        *,
        reason: str = "",
        name: str = "",
        **detail: object,
    ) -> None:
        """Note an event; the ledger has it when the stage ends (`telling`)."""
        rules = self.rules(entry) if entry else ""
        self._events.append(Event(stage, decision, entry, name=name, reason=reason, rules=rules, detail=detail))

    def refuse(self, stage: Stage, entry: Entry, rejected: Rejected) -> None:
        """Put a file into quarantine; the others go on."""
        self.ledger.quarantine.hold(self.run_key, stage, entry, self.rules(entry), rejected)
        self.event(stage, "quarantined", entry, reason=rejected.reason)

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Record the events noted inside when it ends well; a failed stage is run again and tells them then."""
        self._events.clear()
        yield
        self.ledger.record(self.run_key, self._events)

    def manifest(self, stage: Stage, entries: Iterable[Entry], *, batch: int = 0, **counts: int) -> Manifest:
        """The stage's manifest, entries sorted."""
        return Manifest(
            tenant=self.tenant.tenant,
            run_key=self.run_key,
            stage=stage,
            batch=batch,
            entries=sorted(entries, key=lambda e: (e.source, e.location, e.sha256)),
            counts=counts,
        )
