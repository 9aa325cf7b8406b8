from __future__ import annotations

import threading
from pathlib import Path

import httpx
import pytest

from tests.ondol.api.conftest import HANBIT, Call

UNDER = "/v1/tenants/hanbit"
NEW = {"id": "mail", "type": "folder", "path": "inbox/hanbit/mail"}


def problem(response: httpx.Response, status: int) -> dict[str, object]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, object] = response.json()
    assert body["status"] == status
    assert body["title"] and body["detail"] and body["remedy"]
    return body


def test_a_source_is_shown_as_its_yaml_has_it(call: Call) -> None:
    found = call().get(f"{UNDER}/sources/share")
    assert found.json()["config"] == {"id": "share", "type": "folder", "path": "inbox/hanbit/{date}"}
    assert found.json()["state"]["paused"] is False


def test_a_get_with_the_etag_that_it_has_is_not_sent_again(call: Call) -> None:
    client = call()
    tag = client.get(f"{UNDER}/items/sales").headers["etag"]
    again = client.get(f"{UNDER}/items/sales", headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)


def test_a_patch_changes_its_line_and_nothing_else_of_the_file(call: Call, tenants: Path) -> None:
    client = call()
    tag = client.get(f"{UNDER}/items/plan").headers["etag"]
    patched = client.patch(f"{UNDER}/items/plan", json={"config": {"due": "45 days"}}, headers={"If-Match": tag})
    assert patched.status_code == 200
    assert patched.json()["config"]["due"] == "45 days"
    assert patched.headers["etag"] == client.get(f"{UNDER}/items/plan").headers["etag"] != tag
    assert (tenants / "hanbit.yaml").read_text() == HANBIT.replace("due: 30 days", "due: 45 days")


def test_a_patch_takes_a_key_away_with_null(call: Call, tenants: Path) -> None:
    client = call()
    client.patch(f"{UNDER}/items/plan", json={"config": {"due": None}}, headers={"If-Match": "*"})
    assert (tenants / "hanbit.yaml").read_text() == HANBIT.replace("    due: 30 days\n", "")


def test_what_a_get_gave_can_be_put_back_and_changes_nothing(call: Call, tenants: Path) -> None:
    client = call()
    got = client.get(f"{UNDER}/items/sales")
    put = client.put(f"{UNDER}/items/sales", json=got.json(), headers={"If-Match": got.headers["etag"]})
    assert put.json() == got.json()
    assert (tenants / "hanbit.yaml").read_text() == HANBIT
    assert client.get(f"{UNDER}/changes").json()["results"] == []


def test_a_created_source_stands_behind_the_others_and_comments_stay(call: Call, tenants: Path) -> None:
    made = call().post(f"{UNDER}/sources", json={"config": NEW})
    assert (made.status_code, made.headers["location"]) == (201, f"{UNDER}/sources/mail")
    before, after = HANBIT.split("\nitems:")
    added = "  - id: mail\n    type: folder\n    path: inbox/hanbit/mail\n"
    assert (tenants / "hanbit.yaml").read_text() == f"{before}{added}\nitems:{after}"


def test_a_deleted_item_goes_with_the_comment_above_it(call: Call, tenants: Path) -> None:
    deleted = call().delete(f"{UNDER}/items/plan", headers={"If-Match": "*"})
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (tenants / "hanbit.yaml").read_text() == HANBIT[: HANBIT.index("\n  # the year's plan")]


def test_what_an_item_still_needs_and_the_only_source_cannot_be_deleted(call: Call) -> None:
    client = call()
    needed = problem(client.delete(f"{UNDER}/sources/tills", headers={"If-Match": "*"}), 409)
    assert "items[1].match.source[0]" in str(needed["problems"])
    client.delete(f"{UNDER}/items/plan", headers={"If-Match": "*"})
    assert "only item" in str(problem(client.delete(f"{UNDER}/items/sales", headers={"If-Match": "*"}), 409))


def test_a_wrong_value_comes_back_with_its_line_and_the_nearest_right_word(call: Call, tenants: Path) -> None:
    refused = call().patch(f"{UNDER}/items/plan", json={"config": {"due": "1 dya"}}, headers={"If-Match": "*"})
    [place] = problem(refused, 422)["problems"]  # type: ignore[misc]
    line = 1 + HANBIT.splitlines().index("    due: 30 days")
    assert (place["file"], place["line"], place["field"]) == ("hanbit.yaml", line, "items[1].due")
    assert place["hint"] == "1 day"
    assert (tenants / "hanbit.yaml").read_text() == HANBIT


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_change_needs_if_match_and_loses_no_other_change(call: Call, method: str) -> None:
    client, path = call(), f"{UNDER}/items/plan"
    read = client.get(path)
    body = None if method == "DELETE" else {"config": {**read.json()["config"], "due": "2 days"}}
    problem(client.request(method, path, json=body), 428)
    client.patch(path, json={"config": {"due": "3 days"}}, headers={"If-Match": read.headers["etag"]})
    lost = client.request(method, path, json=body, headers={"If-Match": read.headers["etag"]})
    problem(lost, 412)
    assert lost.headers["etag"] == client.get(path).headers["etag"]


def test_of_two_changes_at_once_one_wins_and_the_other_is_told(call: Call) -> None:
    client, path = call(), f"{UNDER}/items/plan"
    tag = client.get(path).headers["etag"]
    statuses: list[int] = []

    def change(days: int) -> None:
        sent = client.patch(path, json={"config": {"due": f"{days} days"}}, headers={"If-Match": tag})
        statuses.append(sent.status_code)

    threads = [threading.Thread(target=change, args=(days,)) for days in range(2, 8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 412, 412, 412, 412, 412]


def test_an_id_that_is_there_is_not_created_again_and_none_is_renamed(call: Call) -> None:
    client = call()
    problem(client.post(f"{UNDER}/sources", json={"config": {**NEW, "id": "share"}}), 409)
    renamed = {"config": {**client.get(f"{UNDER}/items/plan").json()["config"], "id": "plans"}}
    problem(client.put(f"{UNDER}/items/plan", json=renamed, headers={"If-Match": "*"}), 422)


def test_a_repeated_request_with_its_key_is_answered_as_at_first(call: Call, tenants: Path) -> None:
    client, headers = call(), {"Idempotency-Key": "k-1"}
    first = client.post(f"{UNDER}/sources", json={"config": NEW}, headers=headers)
    written = (tenants / "hanbit.yaml").read_bytes()
    again = client.post(f"{UNDER}/sources", json={"config": NEW}, headers=headers)
    assert (again.status_code, again.json(), again.headers["etag"]) == (201, first.json(), first.headers["etag"])
    assert again.headers["location"] == first.headers["location"]
    assert (tenants / "hanbit.yaml").read_bytes() == written
    problem(client.post(f"{UNDER}/sources", json={"config": {**NEW, "id": "other"}}, headers=headers), 422)
    assert len(client.get(f"{UNDER}/changes").json()["results"]) == 1


def test_a_key_is_its_callers_alone(call: Call) -> None:
    headers = {"Idempotency-Key": "k-1"}
    call(who="kim").post(f"{UNDER}/sources", json={"config": NEW}, headers=headers)
    other = call(who="lee").post(f"{UNDER}/sources", json={"config": {**NEW, "id": "other"}}, headers=headers)
    assert other.status_code == 201


def test_the_audit_says_who_changed_what_from_what(call: Call) -> None:
    client = call(who="kim@example.com")
    client.patch(f"{UNDER}/items/plan", json={"config": {"due": "45 days"}}, headers={"If-Match": "*"})
    [change] = client.get(f"{UNDER}/changes").json()["results"]
    assert (change["who"], change["action"], change["kind"]) == ("kim@example.com", "change", "items")
    assert (change["before"]["due"], change["after"]["due"], change["state"]) == ("30 days", "45 days", "done")


def test_pausing_says_who_and_why_and_needs_no_file(call: Call, tenants: Path) -> None:
    client = call("hanbit:operator", who="lee")
    paused = client.post(f"{UNDER}/sources/share/pause", json={"why": "점검"}).json()
    assert (paused["paused"], paused["by"], paused["why"]) == (True, "lee", "점검")
    assert client.get(f"{UNDER}/sources/share").json()["state"]["why"] == "점검"
    listed = client.get(f"{UNDER}/sources", params={"paused": True}).json()["results"]
    assert [entry["config"]["id"] for entry in listed] == ["share"]
    assert client.post(f"{UNDER}/sources/share/resume").json()["paused"] is False
    assert client.get(f"{UNDER}/sources", params={"paused": True}).json()["results"] == []
    assert (tenants / "hanbit.yaml").read_text() == HANBIT
    actions = [change["action"] for change in client.get(f"{UNDER}/changes").json()["results"]]
    assert actions == ["resume", "pause"]


def test_a_source_that_is_created_anew_is_not_paused(call: Call) -> None:
    client = call()
    client.post(f"{UNDER}/sources", json={"config": NEW})
    client.post(f"{UNDER}/sources/mail/pause")
    client.delete(f"{UNDER}/sources/mail", headers={"If-Match": "*"})
    assert client.post(f"{UNDER}/sources", json={"config": NEW}).json()["state"]["paused"] is False


def test_a_list_comes_in_parts_and_each_entry_once(call: Call) -> None:
    client, seen, cursor = call(), [], None
    for number in range(5):
        config = {**NEW, "id": f"extra_{number}", "path": f"inbox/hanbit/{number}"}
        client.post(f"{UNDER}/sources", json={"config": config})
    while True:
        part = client.get(f"{UNDER}/sources", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        seen += [entry["config"]["id"] for entry in part["results"]]
        if not (cursor := part["next"]):
            break
    assert seen == ["extra_0", "extra_1", "extra_2", "extra_3", "extra_4", "share", "tills"]
    problem(client.get(f"{UNDER}/sources", params={"cursor": "x!"}), 422)


@pytest.mark.parametrize(
    "path",
    ["/etc", "inbox/saeum/{date}", "inbox/hanbit2", "inbox/hanbit/../saeum", "{date}", "inbox", "//inbox/hanbit"],
)
def test_no_editor_reaches_another_tenants_folder_or_the_machines(call: Call, tenants: Path, path: str) -> None:
    assert call().post(f"{UNDER}/sources", json={"config": {**NEW, "path": path}}).status_code in (403, 422)
    assert (tenants / "hanbit.yaml").read_text() == HANBIT


def test_an_editor_names_only_buckets_that_the_operator_gave(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(bucket: str) -> int:
        config = {"id": "drop", "type": "gcs", "bucket": bucket}
        return call().post(f"{UNDER}/sources", json={"config": config}).status_code

    assert answer("gs://drops/hanbit") == 403
    monkeypatch.setenv("ONDOL_API_FOLDERS", "inbox/{tenant} gs://drops/{tenant}")
    assert [answer(f"gs://drops/{name}") for name in ("saeum", "hanbit2", "hanbit")] == [403, 403, 201]


@pytest.mark.parametrize("text", ["\ud800", "\u0000", "\u2028", "\u0085"])
def test_texts_that_no_file_should_hold_are_refused(call: Call, text: str) -> None:
    import json

    body = json.dumps({"config": {**NEW, "pattern": f"*{text}*"}})
    problem(call().post(f"{UNDER}/sources", content=body, headers={"Content-Type": "application/json"}), 422)


def test_a_file_that_is_wrong_by_hand_is_told_and_left_alone(call: Call, tenants: Path) -> None:
    (tenants / "hanbit.yaml").write_text(HANBIT.replace("due: 30 days", "due: 30 dys"))
    client = call()
    assert problem(client.get(f"{UNDER}/items"), 409)["problems"]
    problem(client.post(f"{UNDER}/sources", json={"config": NEW}), 409)
    assert client.get("/v1/tenants").json()["results"] == [{"tenant": "hanbit", "name": None, "role": "editor"}]


def test_other_sites_pages_and_large_bodies_come_to_nothing(call: Call) -> None:
    client = call()
    problem(client.post(f"{UNDER}/sources", json={"config": {**NEW, "pattern": "x" * 300_000}}), 413)

    def pieces():  # type: ignore[no-untyped-def]
        for _ in range(40):
            yield b" " * 10_000

    problem(client.post(f"{UNDER}/sources", content=pieces(), headers={"Content-Type": "application/json"}), 413)
    problem(client.post(f"{UNDER}/sources", content=b'{"config": {}}', headers={"Content-Type": "text/plain"}), 422)


def test_an_unknown_path_and_method_are_problems_too(call: Call) -> None:
    client = call()
    problem(client.get("/nothing"), 404)
    assert client.get(f"{UNDER}/items/sales/").status_code == 404
    wrong = client.post(f"{UNDER}/items/sales")
    problem(wrong, 405)
    assert wrong.headers["allow"] == "DELETE, GET, PATCH, PUT"
