"""The routes of sources and of items, which are alike: list, read, create, change, delete, pause, resume."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query, Response
from fastapi.responses import JSONResponse

from ondol.api.desk import Desk, Done, IfMatch, IfNoneMatch, Name, check_match, desk, keyed, unchanged
from ondol.api.file import File, etag
from ondol.api.models import Entry, EntryPatch, NewEntry, Page, PauseRequest, Pausing
from ondol.api.openapi import CHANGED, ETAG, errors
from ondol.api.pages import Cursor, Limit, after_name, page
from ondol.api.places import check_place
from ondol.api.problems import Refused
from ondol.config.edit import Kind, put, remove, same
from ondol.ledger.changes import Answer, Change
from ondol.ledger.changes import Request as Keyed

Viewing = Annotated[Desk, Depends(desk("viewer"))]
Operating = Annotated[Desk, Depends(desk("operator"))]
Editing = Annotated[Desk, Depends(desk("editor"))]
Repeatable = Annotated[Keyed | None, Depends(keyed)]
MERGE = "application/merge-patch+json"


class Entries:
    """The routes of one kind.

    Args:
        kind: the list in the tenant's YAML.
        noun: one of it.
    """

    def __init__(self, kind: Kind, noun: str) -> None:
        self.kind = kind
        self.noun = noun

    def router(self) -> APIRouter:
        """All routes."""
        router = APIRouter(prefix=f"/v1/tenants/{{tenant}}/{self.kind}", tags=[self.kind])
        one, noun, a_noun = "/{name}", self.noun, f"{'an' if self.noun == 'item' else 'a'} {self.noun}"
        add = router.add_api_route
        add("", self.list, methods=["GET"], name=f"list_{self.kind}", summary=f"List {self.kind}",
            response_model=Page[Entry], responses=errors(401, 404, 409, 422))  # fmt: skip
        add("", self.create, methods=["POST"], name=f"create_{noun}", summary=f"Create {a_noun}", status_code=201,
            response_model=Entry, responses={201: CHANGED, **errors(401, 403, 404, 409, 413, 422)})  # fmt: skip
        add(one, self.read, methods=["GET"], name=f"read_{noun}", summary=f"Read {a_noun}", response_model=Entry,
            responses={200: ETAG, 304: {"description": "unchanged"}, **errors(401, 404, 409, 422)})  # fmt: skip
        changed = {200: ETAG, **errors(401, 403, 404, 409, 412, 413, 422, 428)}
        add(one, self.replace, methods=["PUT"], name=f"replace_{noun}", summary=f"Replace {a_noun}",
            response_model=Entry, responses=changed)  # fmt: skip
        add(one, self.patch, methods=["PATCH"], name=f"change_{noun}", summary=f"Change {a_noun}",
            response_model=Entry, responses=changed)  # fmt: skip
        add(one, self.delete, methods=["DELETE"], name=f"delete_{noun}", summary=f"Delete {a_noun}", status_code=204,
            response_model=None, responses=errors(401, 403, 404, 409, 412, 422, 428))  # fmt: skip
        for function, word in ((self.pause, "Pause"), (self.resume, "Resume")):
            add(f"{one}/{word.lower()}", function, methods=["POST"], name=f"{word.lower()}_{noun}",
                summary=f"{word} {a_noun}", response_model=Pausing,
                responses=errors(401, 403, 404, 409, 413, 422))  # fmt: skip
        return router

    def list(
        self,
        at: Viewing,
        limit: Limit = 50,
        cursor: Cursor = None,
        paused: Annotated[bool | None, Query(description="Only those that are paused, or are not.")] = None,
    ) -> Any:
        """By id."""
        pauses, after = at.ledger.pauses.of(self.kind), after_name(cursor)
        entries = sorted(at.file().document.data[self.kind], key=lambda entry: str(entry["id"]))
        wanted = [e for e in entries if e["id"] > after and (paused is None or (e["id"] in pauses) is paused)]
        rows = [at.resource(self.kind, entry, pauses) for entry in wanted[: limit + 1]]
        return page(rows, limit, lambda row: str(row["config"]["id"]))

    def read(self, at: Viewing, name: Name, if_none_match: IfNoneMatch = None) -> Any:
        """As the tenant's YAML has it. Its ETag is what a change needs."""
        resource = at.found(at.file(), self.kind, name)
        tag = etag(resource)
        if unchanged(if_none_match, tag):
            return Response(status_code=304, headers={"ETag": tag})
        return _json(Answer(200, resource, {"ETag": tag}))

    def create(self, at: Editing, given: NewEntry, request: Repeatable) -> Any:
        """Behind the others in the tenant's YAML; 409 if its id is there already."""

        def do(file: File) -> Done:
            name = given.config.get("id")
            if isinstance(name, str) and file.entry(self.kind, name) is not None:
                raise Refused(409, "There already", f"There is a {self.noun} '{name[:80]}' already.",
                              "Take another id, or change that one.")  # fmt: skip
            if not isinstance(name, str):
                raise Refused(422, "Wrong request", "config.id is no text.", "Give it an id.")
            done = self._put(at, file, None, given.config, 201)
            done.within = lambda cursor: at.ledger.pauses.clear(cursor, self.kind, name)
            done.answer.headers["Location"] = f"{at.request.url.path}/{name}"
            return done

        return _json(at.once(request, do))

    def replace(self, at: Editing, name: Name, given: NewEntry, request: Repeatable, if_match: IfMatch = None) -> Any:
        """With all its keys: one that is left out falls back to its default. Comments stay where their keys do."""
        return _json(at.once(request, lambda file: self._change(at, file, name, if_match, given.config)))

    def patch(
        self,
        at: Editing,
        name: Name,
        given: Annotated[EntryPatch, Body(media_type=MERGE)],
        request: Repeatable,
        if_match: IfMatch = None,
    ) -> Any:
        """As RFC 7396 has it: only the keys that are given; null takes one away."""

        def do(file: File) -> Done:
            merged = _merged(file.entry(self.kind, name) or {}, given.config)
            return self._change(at, file, name, if_match, merged)

        return _json(at.once(request, do))

    def delete(self, at: Editing, name: Name, request: Repeatable, if_match: IfMatch = None) -> Any:
        """Out of the tenant's YAML. What was collected stays."""

        def do(file: File) -> Done:
            resource = at.found(file, self.kind, name)
            check_match(if_match, resource)
            if len(file.document.data[self.kind]) == 1:
                raise Refused(409, "Still needed", f"It is the tenant's only {self.noun}.",
                              "Create another one first, or pause it.")  # fmt: skip
            body = remove(file.body, file.document, self.kind, name)
            after = file.replaced(body, status=409, title="Still needed")
            change = Change(at.caller.who, "delete", self.kind, name, before=resource["config"],
                            file_before=file.sha256, file_after=after.sha256)  # fmt: skip
            return Done(Answer(204), change, body)

        return _json(at.once(request, do))

    def pause(self, at: Operating, name: Name, request: Repeatable, given: PauseRequest | None = None) -> Any:
        """Runs leave it out until it is resumed. One that is paused stays as it is."""

        def do(file: File) -> Done:
            state = at.found(file, self.kind, name)["state"]
            if state["paused"]:
                return Done(Answer(200, state))
            why, who = given.why if given else "", at.caller.who
            change = Change(who, "pause", self.kind, name, after={"why": why})
            return Done(
                Answer(200, Pausing(paused=True, since=at.now(), by=who, why=why).model_dump(mode="json")),
                change,
                within=lambda cursor: at.ledger.pauses.set(cursor, self.kind, name, who, why),
            )

        return _json(at.once(request, do))

    def resume(self, at: Operating, name: Name, request: Repeatable) -> Any:
        """The next run takes it again, with what was kept back meanwhile."""

        def do(file: File) -> Done:
            state = at.found(file, self.kind, name)["state"]
            answer = Answer(200, Pausing(paused=False).model_dump(mode="json"))
            if not state["paused"]:
                return Done(answer)
            change = Change(at.caller.who, "resume", self.kind, name, before=state)
            return Done(answer, change, within=lambda cursor: at.ledger.pauses.clear(cursor, self.kind, name))

        return _json(at.once(request, do))

    def _change(self, at: Desk, file: File, name: str, if_match: str | None, config: dict[str, Any]) -> Done:
        resource = at.found(file, self.kind, name)
        check_match(if_match, resource)
        if config.get("id") != name:
            raise Refused(422, "Another id", f"config.id is not '{name}': an id stays, because the ledger names it.",
                          f"Leave the id, or create another {self.noun} and delete this one.")  # fmt: skip
        if same(resource["config"], config):
            return Done(Answer(200, resource, {"ETag": etag(resource)}))
        return self._put(at, file, resource["config"], config, 200)

    def _put(self, at: Desk, file: File, before: dict[str, Any] | None, config: dict[str, Any], status: int) -> Done:
        body = put(file.body, file.document, self.kind, config)
        after = file.replaced(body, status=422, title="Wrong configuration")
        name = str(config["id"])
        check_place(after.tenant, self.kind, name, file.tenant)
        resource = at.resource(self.kind, config, {} if before is None else at.ledger.pauses.of(self.kind))
        change = Change(at.caller.who, "change" if before else "create", self.kind, name, before, config,
                        file.sha256, after.sha256)  # fmt: skip
        return Done(Answer(status, resource, {"ETag": etag(resource)}), change, body)


def _merged(old: Any, patch: Any) -> Any:
    """RFC 7396, section 2."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(old) if isinstance(old, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merged(merged.get(key), value)
    return merged


def _json(answer: Answer) -> Response:
    if answer.status == 204:
        return Response(status_code=204, headers=answer.headers)
    return JSONResponse(answer.body, answer.status, answer.headers)
