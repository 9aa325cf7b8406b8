"""One caller at one tenant: what may be asked is checked, and changes are made one at a time."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Header, Path, Request

from ondol.api.access import Principal, Role
from ondol.api.file import File, etag, open_file
from ondol.api.models import Entry, Pausing
from ondol.api.problems import Refused, unknown
from ondol.config.edit import Kind
from ondol.embedded import database_uri
from ondol.faults import point
from ondol.ledger.changes import Answer, Change
from ondol.ledger.changes import Request as Keyed
from ondol.ledger.events import Ledger
from ondol.ledger.pauses import Pause
from ondol.settings import settings

TenantName = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{1,39}$", description="The tenant's id.")]
Name = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{1,39}$", description="The id of the source or item.")]
IfMatch = Annotated[
    str | None, Header(alias="If-Match", max_length=1000, description="The ETag of what is to be changed.")
]
IfNoneMatch = Annotated[
    str | None, Header(alias="If-None-Match", max_length=1000, description="304 if the ETag is still this one.")
]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[!-~]{1,200}$",
        description="Makes the request safe to repeat: the same key gets the same answer, for 30 days.",
    ),
]
WAIT = dt.timedelta(seconds=10)


@dataclass(slots=True)
class Done:
    """What a change comes to.

    Args:
        body: the new content of the file; None if it stays.
        within: what else is written in the transaction that tells of the change.
    """

    answer: Answer
    change: Change | None = None
    body: bytes | None = None
    within: Callable[[Any], None] = field(default=lambda cursor: None)


class Desk:
    """What one caller does at one tenant.

    Args:
        path: the tenant's file.
    """

    def __init__(self, request: Request, caller: Principal, ledger: Ledger) -> None:
        self.request = request
        self.caller = caller
        self.ledger = ledger
        self.tenant = ledger.tenant
        self.path = settings().tenants / f"{self.tenant}.yaml"

    def file(self) -> File:
        """The tenant's file as it is now."""
        return open_file(self.path)

    def now(self) -> dt.datetime:
        """The present moment."""
        return dt.datetime.now(dt.UTC)

    def resource(self, kind: Kind, config: dict[str, Any], pauses: dict[str, Pause]) -> dict[str, Any]:
        """A source or item as a GET gives it."""
        pause = pauses.get(config["id"])
        state = Pausing(paused=True, since=pause.since, by=pause.by, why=pause.why) if pause else Pausing(paused=False)
        return Entry(config=config, state=state).model_dump(mode="json")

    def found(self, file: File, kind: Kind, name: str) -> dict[str, Any]:
        """The source or item of that id; 404 if there is none."""
        if (config := file.entry(kind, name)) is None:
            raise unknown(kind[:-1], name)
        return self.resource(kind, config, self.ledger.pauses.of(kind))

    def once(self, request: Keyed | None, do: Callable[[File], Done]) -> Answer:
        """Do it once, alone: a request that comes again gets the answer of the first.

        Raises:
            Refused: what `do` raises; nothing was changed then.
            RetriableError: another change of this tenant takes long.
        """
        with self.ledger.exclusive("config", wait=WAIT):
            file = self.file()
            self.ledger.changes.settle(file.sha256)
            if request and (earlier := self.ledger.changes.answered(request)):
                is_same, answer = earlier
                if not is_same:
                    raise Refused(422, "Key used twice", f"The Idempotency-Key {request.key[:80]} was used for another "
                                  "request.", "Use a new key for each request.")  # fmt: skip
                return answer
            done = do(file)
            if done.change:
                point("config:before")
                self.ledger.changes.begin(done.change, request, done.answer, done.within)
                point("config:begun")
                if done.body is not None:
                    self._write(file, done.body)
            elif request:
                self.ledger.changes.remember(request, done.answer)
            return done.answer

    def _write(self, file: File, body: bytes) -> None:
        try:
            file.write(body)
        except Refused:
            self.ledger.changes.settle(hashlib.sha256(self.path.read_bytes()).hexdigest())
            raise
        point("config:replaced")
        self.ledger.changes.settle(hashlib.sha256(body).hexdigest())
        point("config:done")


def desk(role: Role) -> Callable[..., Iterator[Desk]]:
    """The dependency of a route that needs that role in its tenant."""

    def opened(request: Request, tenant: TenantName) -> Iterator[Desk]:
        caller: Principal = request.state.principal
        if caller.role(tenant) is None or not (settings().tenants / f"{tenant}.yaml").is_file():
            raise unknown("tenant", tenant)
        if not caller.may(tenant, role):
            detail = f"This needs the role {role} of {tenant}; yours is {caller.role(tenant)}."
            raise Refused(403, "Not allowed", detail, "Ask whoever gives out the roles.")
        with Ledger(database_uri(), tenant) as ledger:
            yield Desk(request, caller, ledger)

    return opened


async def keyed(request: Request, key: Key = None) -> Keyed | None:
    """The dependency of a route that may be repeated: the request as the ledger knows it again, if it has a key."""
    if key is None:
        return None
    principal: Principal = request.state.principal
    said = (request.method, request.url.path, request.headers.get("if-match", ""))
    digest = hashlib.sha256("\n".join(said).encode() + b"\n" + await request.body())
    return Keyed(principal.who, key, digest.hexdigest())


def check_match(given: str | None, resource: dict[str, Any]) -> None:
    """Refuse a change of what has changed since the caller read it. Source: RFC 9110, section 13.1.1; RFC 6585."""
    if given is None:
        raise Refused(428, "If-Match is missing", "A change says what it changes, so that none is lost.",
                      "GET it, and send its ETag as If-Match.")  # fmt: skip
    now = etag(resource)
    if given.strip() != "*" and now not in _tags(given):
        raise Refused(412, "Changed meanwhile", f"The ETag is {now} by now: somebody else has changed it.",
                      "GET it again, make the change in that, and send its ETag.", headers={"ETag": now})  # fmt: skip


def unchanged(given: str | None, tag: str) -> bool:
    """Whether the caller of a GET has this already. Source: RFC 9110, section 13.1.2."""
    return given is not None and (given.strip() == "*" or tag in _tags(given.replace("W/", "")))


def _tags(text: str) -> list[str]:
    return re.findall(r'(?:(?<=[\s,])|^)"[^"]*"', text)
