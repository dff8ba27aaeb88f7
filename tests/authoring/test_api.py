"""The HTTP API: who gets in, what they see, and what it says when something is wrong."""

from __future__ import annotations

import base64
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
from litestar.testing import TestClient

from authoring.app import create_app
from authoring.audit.chain import verify
from authoring.database import Bank, reading, writing
from authoring.errors import BankError
from authoring.pages import ASSETS, PAGE_POLICY, SWAGGER
from authoring.people.actors import SYSTEM, Right
from authoring.people.rules import issue_token, revoke_token
from item_formats import ItemType, read_item
from tests.authoring.conftest import Staff
from tests.authoring.sample import RATIONALE, accepted, add_items, outline, row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from litestar import Litestar

READER = (Right.ITEMS_READ, Right.STANDARDS_READ)
WRITER = (*READER, Right.ITEMS_WRITE, Right.STANDARDS_WRITE)

OPTIONAL = {"options", "rationale", "marks", "source"}
NEW_ITEM: dict[str, Any] = {
    "code": "N1",
    "standard": 1,
    "type": "single",
    "stem": "新写的一道题（ ）。",
    "options": ["甲", "乙", "丙", "丁"],
    "key": "C",
    "rationale": RATIONALE,
    "point": "B-A-A-001",
    "grade": 3,
    "marks": 0.5,
    "source": "教材",
}


class Api:
    """A client that calls as somebody with certain rights."""

    def __init__(self, client: TestClient[Litestar], bank: Bank, person: str) -> None:
        self.client = client
        self.bank = bank
        self.person = person

    def token(self, *rights: Right) -> str:
        with writing(self.bank, SYSTEM) as session:
            return issue_token(session, SYSTEM, self.person, rights)

    def get(self, path: str, *rights: Right) -> Any:
        return self.client.get(path, headers={"authorization": f"Bearer {self.token(*(rights or READER))}"})

    def post(self, path: str, body: Any, *rights: Right) -> Any:
        token = self.token(*(rights or WRITER))
        return self.client.post(path, json=body, headers={"authorization": f"Bearer {token}"})


@pytest.fixture
def client(bank: Bank) -> Iterator[TestClient[Litestar]]:
    with TestClient(create_app(bank), raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture
def api(client: TestClient[Litestar], bank: Bank, staff: Staff, standard_id: int) -> Api:
    assert standard_id == NEW_ITEM["standard"]
    return Api(client, bank, staff.author.code)


def calls(app: Litestar) -> list[tuple[str, str]]:
    """Every method and path the application knows, with path parameters filled in."""
    filled = {"{code:str}": "Q1", "{standard_id:int}": "1", "{path:str}": "x"}
    found = []
    for route in app.routes:
        path = route.path
        for parameter, value in filled.items():
            path = path.replace(parameter, value)
        assert "{" not in path, f"say what {route.path} is called with"
        found += [(method, path) for method in getattr(route, "methods", ())]
    return sorted(found)


# --- who gets in


def test_health_is_the_only_route_that_answers_without_a_token(client: TestClient[Litestar]) -> None:
    known = calls(client.app)
    assert len(known) >= 20
    answered = [call for call in known if client.request(*call).status_code != 401]
    assert answered == [("GET", "/health")]
    assert client.get("/health").json() == {"status": "ok"}


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer tiku_wrong",
        "Basic " + base64.b64encode(b"x:tiku_wrong").decode(),
        "Basic ???",
        "Digest abc",
        "Bearer \xff",
    ],
)
def test_a_wrong_token_opens_nothing(client: TestClient[Litestar], header: str) -> None:
    for method, path in calls(client.app):
        if path != "/health":
            reply = client.request(method, path, headers={"authorization": header.encode("latin-1")})
            assert reply.status_code == 401
            assert reply.json()["rule"] == "token-needed"


def test_a_refusal_names_the_right_that_is_missing(api: Api) -> None:
    without_token = api.client.get("/items")
    assert (without_token.status_code, without_token.headers["www-authenticate"]) == (401, 'Bearer realm="tiku"')
    assert "with the right items:read" in without_token.json()["detail"]
    for method, path, right in (
        ("GET", "/items", Right.ITEMS_READ),
        ("GET", "/items/Q1", Right.ITEMS_READ),
        ("GET", "/items/Q1/qti", Right.ITEMS_READ),
        ("POST", "/items", Right.ITEMS_WRITE),
        ("POST", "/items/Q1/versions", Right.ITEMS_WRITE),
        ("GET", "/standards", Right.STANDARDS_READ),
        ("GET", "/standards/1", Right.STANDARDS_READ),
        ("POST", "/standards", Right.STANDARDS_WRITE),
    ):
        others = set(Right) - {right}
        reply = api.client.request(method, path, headers={"authorization": f"Bearer {api.token(*others)}"})
        assert (reply.status_code, reply.json()["rule"]) == (403, "right-needed")
        assert f"this needs the right {right}," in reply.json()["detail"]


def test_a_revoked_token_is_refused_at_once(api: Api) -> None:
    header = {"authorization": f"Bearer {api.token(Right.ITEMS_READ)}"}
    assert api.client.get("/items", headers=header).status_code == 200
    with writing(api.bank, SYSTEM) as session:
        revoke_token(session, SYSTEM, 1)
    refused = api.client.get("/items", headers=header)
    assert (refused.status_code, refused.json()["detail"][:31]) == (401, "the token is unknown, expired o")


def test_a_token_is_not_taken_from_the_address_or_a_cookie(api: Api) -> None:
    token = api.token(Right.ITEMS_READ)
    assert api.client.get("/items", params={"token": token, "access_token": token}).status_code == 401
    assert (
        api.client.get("/items", headers={"cookie": f"token={token}; authorization=Bearer {token}"}).status_code == 401
    )


def test_only_the_pages_of_the_schema_take_basic_and_only_to_read(api: Api) -> None:
    basic = ("anybody", api.token(Right.ITEMS_READ))
    for path in ("/schema", "/schema/openapi.json", *(f"/schema/{name}" for name in ASSETS)):
        assert api.client.get(path, auth=basic).status_code == 200
        assert api.client.get(path).headers["www-authenticate"] == 'Basic realm="tiku", charset="UTF-8"'
    for path in ("/items", "/items/Q1", "/standards"):
        assert api.client.get(path, auth=basic).status_code == 401
    assert api.client.post("/schema", auth=basic).status_code == 405
    assert api.client.options("/schema", auth=basic).status_code == 401


def test_a_route_without_a_right_is_open_to_nobody(api: Api) -> None:
    everything = {"authorization": f"Bearer {api.token(*Right)}"}
    for path in ("/items", "/standards/1", "/schema"):
        reply = api.client.options(path, headers=everything)
        assert reply.status_code in {204, 403}
    assert api.client.options("/items", headers=everything).json()["detail"] == "this route is open to nobody"


# --- what they see


def test_no_reply_to_a_token_without_items_keys_says_what_the_key_is(api: Api, staff: Staff, standard_id: int) -> None:
    """Every route, every item type: neither rationale, nor correct response, nor processing, nor a telling digest."""
    rows = [
        row("Q1"),
        row("T1", item_type=ItemType.TRUE_FALSE),
        row("M1", item_type=ItemType.MULTIPLE),
    ]
    codes = add_items(api.bank, staff, standard_id, *rows)
    rights = set(Right) - {Right.ITEMS_KEYS}
    replies = [api.get(path, *rights).text for method, path in calls(api.client.app) if method == "GET"]
    replies += [api.get(f"/items/{code}{view}", *rights).text for code in codes for view in ("", "/qti")]
    replies.append(api.post("/items", NEW_ITEM, *rights).text)
    revised = NEW_ITEM | {"stem": "改过（ ）。", "based_on": 1}
    for name in ("code", "standard", "point", "grade", "marks", "source"):
        del revised[name]
    replies.append(api.post("/items/N1/versions", revised, *rights).text)
    assert '"version":2' in replies[-1]
    digests = [one.item.digest for one in rows]
    assert len(replies) > 15
    for reply in replies:
        if '"openapi"' in reply:
            continue  # the description of the API names the fields that others may see
        assert RATIONALE not in reply
        assert not [digest for digest in digests if digest in reply]
        for telling in ('"key"', '"rationale"', '"digest"', "qti-correct-response", "qti-response-processing"):
            assert telling not in reply


def test_what_is_shown_without_keys_does_not_depend_on_the_key(api: Api, staff: Staff, standard_id: int) -> None:
    seen = []
    for number, key in enumerate("ABCD"):
        code = f"K{number}"
        add_items(api.bank, staff, standard_id, row(code, key=key, stem=f"第{number}题之{code * 9}（ ）。"))
        seen.append(api.get(f"/items/{code}").text + api.get(f"/items/{code}/qti").text)
    shapes = [text.replace(f"K{n}", "K").replace(f"第{n}题", "第题") for n, text in enumerate(seen)]
    lengths = {len(shape) for shape in shapes}
    assert len(lengths) <= 2  # the time of creation may have trailing zeros cut
    assert all("qti-simple-choice" in shape for shape in shapes)


def test_a_token_with_items_keys_sees_them(api: Api, staff: Staff, standard_id: int) -> None:
    add_items(api.bank, staff, standard_id, row("Q1"))
    view = api.get("/items/Q1", Right.ITEMS_READ, Right.ITEMS_KEYS).json()
    assert (view["key"], view["rationale"], view["digest"]) == ("B", RATIONALE, row("Q1").item.digest)
    document = api.get("/items/Q1/qti", Right.ITEMS_READ, Right.ITEMS_KEYS)
    assert read_item(document.content) == row("Q1").item
    assert document.headers["content-type"] == "application/xml; charset=utf-8"


def test_an_item_is_shown_with_its_place_and_its_text(api: Api, staff: Staff, standard_id: int) -> None:
    add_items(api.bank, staff, standard_id, row("Q1", point="B-A-A-004", stem="题干（ ）。"))
    view = api.get("/items/Q1").json()
    expected = {"code": "Q1", "standard": 1, "version": 1, "type": "single", "state": "draft", "point": "B-A-A-004"}
    assert expected.items() <= view.items()
    assert (view["section"], view["function"], view["importance"], view["stem"]) == ("B-A", "B", "Y", "题干（ ）。")
    assert [option["identifier"] for option in view["options"]] == ["A", "B", "C", "D"]


def test_pages_of_items_are_walked_by_key(api: Api, staff: Staff, standard_id: int) -> None:
    codes = [f"Q{number:02}" for number in range(1, 8)]
    add_items(api.bank, staff, standard_id, *(row(code) for code in codes))
    seen, path = [], "/items?limit=3"
    while True:
        page = api.get(path).json()
        seen += [item["code"] for item in page["items"]]
        if page["next"] is None:
            break
        path = f"/items?limit=3&after={page['next']}"
    assert seen == codes
    assert api.get("/items?after=Q05&limit=1").json()["items"][0]["code"] == "Q06"


def test_items_are_filtered(api: Api, staff: Staff, standard_id: int) -> None:
    accepted(api.bank, staff, standard_id, row("Q1"))
    add_items(api.bank, staff, standard_id, row("Q2", item_type=ItemType.TRUE_FALSE, point="B-A-A-001"), row("Q3"))
    for query, expected in (
        ("type=true_false", ["Q2"]),
        ("state=accepted", ["Q1"]),
        ("point=B-A-A-001", ["Q2"]),
        ("standard=1&state=draft", ["Q2", "Q3"]),
        ("standard=2", []),
    ):
        assert [item["code"] for item in api.get(f"/items?{query}").json()["items"]] == expected


def test_a_standard_shows_weights_as_shares_of_marks_with_every_provenance(api: Api) -> None:
    (summary,) = api.get("/standards").json()
    assert (summary["occupation_code"], summary["level"], summary["provenance"]) == (
        "4-04-05-05",
        "L3",
        "made up for tests",
    )
    (theory,) = api.get(f"/standards/{summary['id']}").json()["outlines"]
    assert theory["weights_are"] == "shares of marks"
    assert theory["weights_provenance"] == "made up for tests, weights"
    assert [(weight["name"], weight["weight"]) for weight in theory["weight_table"]] == [
        ("职业道德", 20),
        ("基础知识", 30),
        ("业务分析", 50),
    ]
    point = theory["areas"][0]["sections"][0]["points"][0]
    assert (point["importance"], point["importance_provenance"]) == ("X", "sample")


# --- writing


def test_an_item_is_written_with_its_version_and_its_event(api: Api, staff: Staff) -> None:
    reply = api.post("/items", NEW_ITEM)
    assert reply.status_code == 201
    assert reply.json()["item"]["state"] == "draft"
    assert reply.json()["findings"] == []
    full = api.get("/items/N1", Right.ITEMS_READ, Right.ITEMS_KEYS).json()
    assert (full["stem"], full["key"], full["marks"]) == ("新写的一道题（ ）。", "C", 0.5)
    with reading(api.bank) as session:
        report = verify(session)
    assert report.ok
    assert staff.author.code == api.person


@pytest.mark.parametrize(
    "extra",
    [
        {"state": "accepted"},
        {"number": 7},
        {"accepted_number": 1},
        {"owner_id": 2},
        {"id": 99},
        {"revision": 5},
        {"created_at": "2020-01-01T00:00:00Z"},
    ],
)
def test_nothing_but_the_named_fields_can_be_set(api: Api, extra: dict[str, Any]) -> None:
    reply = api.post("/items", NEW_ITEM | extra)
    assert reply.status_code == 400
    assert f"unknown field `{next(iter(extra))}`" in reply.json()["detail"]
    assert api.get("/items").json()["items"] == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"grade": 6}, "grade"),
        ({"grade": "hard"}, "grade"),
        ({"marks": 0}, "marks"),
        ({"marks": 0.125}, "steps of 0.01"),
        ({"marks": 1000}, "marks"),
        ({"code": ""}, "code"),
        ({"code": None}, "code"),
        ({"type": "essay"}, "type"),
        ({"options": "甲乙丙丁"}, "options"),
        ({"stem": ""}, "stem"),
    ],
)
def test_a_field_that_is_not_as_expected_is_named(api: Api, change: dict[str, Any], said: str) -> None:
    reply = api.post("/items", NEW_ITEM | change)
    assert (reply.status_code, reply.headers["content-type"]) == (400, "application/problem+json")
    assert said in reply.json()["detail"]


def test_what_cannot_be_an_item_comes_back_with_findings(api: Api) -> None:
    reply = api.post("/items", NEW_ITEM | {"key": "E", "options": ["甲", "甲", "丙", "丁"]})
    problem = reply.json()
    assert (reply.status_code, problem["rule"], problem["title"]) == (400, "item-wrong", "Bad Request")
    assert {finding["code"] for finding in problem["findings"]} == {"key-not-an-option", "repeated-option"}
    assert api.post("/items", NEW_ITEM | {"point": "B-A-A-9"}).json()["findings"][0]["column"] == "知识点"


def test_a_taken_code_is_a_conflict(api: Api) -> None:
    api.post("/items", NEW_ITEM)
    reply = api.post("/items", NEW_ITEM | {"stem": "别的题（ ）。"})
    assert (reply.status_code, reply.json()["rule"]) == (409, "code-taken")


def test_a_version_is_based_on_the_one_its_author_read(api: Api) -> None:
    api.post("/items", NEW_ITEM)
    content = {name: NEW_ITEM[name] for name in ("type", "options", "key")}
    first = api.post("/items/N1/versions", content | {"stem": "第二版（ ）。", "based_on": 1})
    assert (first.status_code, first.json()["item"]["version"]) == (201, 2)
    late = api.post("/items/N1/versions", content | {"stem": "也是第二版（ ）。", "based_on": 1})
    assert (late.status_code, late.json()["rule"]) == (409, "changed-meanwhile")
    assert api.get("/items/N1").json()["stem"] == "第二版（ ）。"


def test_the_right_to_write_is_not_the_role_of_an_author(client: TestClient[Litestar], api: Api, staff: Staff) -> None:
    reviewer = Api(client, api.bank, staff.reviewer.code)
    reply = reviewer.post("/items", NEW_ITEM)
    assert (reply.status_code, reply.json()["rule"]) == (403, "role-needed")


def test_an_outline_is_loaded_with_its_warnings_once(api: Api) -> None:
    reply = api.post("/standards", outline(edition="2024"))
    assert reply.status_code == 201
    assert reply.json()["standard"]["edition"] == "2024"
    assert "few-points" in {finding["code"] for finding in reply.json()["findings"]}
    assert api.post("/standards", outline(edition="2024")).json()["standard"] == reply.json()["standard"]
    assert len(api.get("/standards").json()) == 2


def test_a_wrong_outline_is_refused_with_findings(api: Api) -> None:
    document = outline(edition="2024")
    document["areas"][0]["sections"][0]["weight"] = 90
    reply = api.post("/standards", document)
    assert (reply.status_code, reply.json()["rule"]) == (400, "outline-wrong")
    assert reply.json()["findings"][0]["code"] == "weights-sum"
    assert "unknown field `colour`" in api.post("/standards", outline(colour="red")).json()["detail"]


# --- what it says when something is wrong


def test_what_is_not_there_is_a_problem_document(api: Api) -> None:
    for path in ("/items/none", "/items/none/qti", "/standards/7", "/nowhere"):
        reply = api.get(path)
        assert (reply.status_code, reply.headers["content-type"]) == (404, "application/problem+json")
        assert reply.json()["status"] == 404


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b'{"stem": "\xff"}', b""])
def test_a_body_that_is_not_the_document_is_400(api: Api, body: bytes) -> None:
    headers = {"authorization": f"Bearer {api.token(*WRITER)}", "content-type": "application/json"}
    for path in ("/items", "/items/Q1/versions", "/standards"):
        reply = api.client.post(path, content=body, headers=headers)
        assert (reply.status_code, reply.headers["content-type"]) == (400, "application/problem+json")


def test_a_body_that_is_too_large_is_refused(api: Api) -> None:
    headers = {"authorization": f"Bearer {api.token(*WRITER)}", "content-type": "application/json"}
    reply = api.client.post("/items", content=b" " * (5 * 1024 * 1024), headers=headers)
    assert reply.status_code == 413


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "state=perfect", "type=essay", "standard=a"])
def test_a_query_that_cannot_be_is_400(api: Api, query: str) -> None:
    assert api.get(f"/items?{query}").status_code == 400


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("type=essay", "type: 'essay' is not one of true_false, single, multiple"),
        (
            "state=zzz",
            "state: 'zzz' is not one of draft, in_review, in_approval, pretest, accepted, published, withdrawn",
        ),
        ("limit=201", "limit: Expected `int` <= 200"),
        ("limit=x&state=zzz", "limit: Expected `int`, got `str`; state: 'zzz' is not one of"),
    ],
)
def test_a_wrong_parameter_is_named_as_it_was_written_with_what_it_may_be(api: Api, query: str, said: str) -> None:
    detail = api.get(f"/items?{query}").json()["detail"]
    assert sorted(part.split(":")[0] for part in detail.split("; ")) == sorted(
        part.split("=")[0] for part in query.split("&")
    )
    assert all(part in detail for part in said.split("; "))


def test_no_route_ignores_a_parameter_it_does_not_know(api: Api) -> None:
    for method, path in calls(api.client.app):
        if method == "OPTIONS":
            continue  # open to nobody
        reply = api.client.request(
            method, f"{path}?foo=1&limit=5", json={}, headers={"authorization": f"Bearer {api.token(*Right)}"}
        )
        assert (reply.status_code, reply.json()["rule"]) == (400, "unknown-parameter"), (method, path)
    reply = api.get("/items?state=draft&foo=1&item_state=draft")
    assert reply.json()["detail"] == (
        "/items knows no query parameter 'foo', 'item_state': it takes standard, type, state, point, after, limit"
    )
    assert api.get("/standards?foo=1").json()["detail"] == "/standards knows no query parameter 'foo': it takes none"


def test_a_mistake_of_the_server_tells_nobody_anything(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError(f"题干和答案 {RATIONALE}")

    monkeypatch.setattr("authoring.items.routes.view_item", broken)
    with caplog.at_level(logging.DEBUG):
        reply = api.get("/items/Q1")
    assert (reply.status_code, reply.json()["rule"]) == (500, "internal-error")
    assert RATIONALE not in reply.text
    assert "RuntimeError" not in reply.text
    assert RATIONALE not in caplog.text
    assert "GET /items/Q1: RuntimeError" in caplog.text
    assert 'test_api.py", line' in caplog.text


def test_a_database_that_does_not_answer_is_503_without_its_name(
    client: TestClient[Litestar], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def gone(_: Bank) -> None:
        raise BankError("database", "the database postgresql://db.internal/tiku cannot be used: refused")

    monkeypatch.setattr("authoring.app.reading", gone)
    reply = client.get("/health")
    assert (reply.status_code, reply.json()["detail"]) == (503, "the database does not answer: try again")
    assert "db.internal" not in reply.text
    assert "db.internal" in caplog.text


def test_nothing_secret_reaches_the_log(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        token = api.token(*WRITER, Right.ITEMS_KEYS)
        headers = {"authorization": f"Bearer {token}"}
        api.client.post("/items", json=NEW_ITEM, headers=headers)
        api.client.post("/items", json=NEW_ITEM, headers=headers)
        api.client.post("/items", json=NEW_ITEM | {"key": "Z"}, headers=headers)
        api.client.get("/items/N1", headers=headers)
    logged = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("httpx"))
    for secret in (token, RATIONALE, NEW_ITEM["stem"]):
        assert secret not in logged


def test_every_reply_carries_the_security_headers(api: Api, staff: Staff, standard_id: int) -> None:
    add_items(api.bank, staff, standard_id, row("Q1"))
    replies = [api.client.get("/health"), api.client.get("/items"), api.get("/nowhere"), api.get("/items/Q1/qti")]
    replies += [api.get("/items/Q1"), api.post("/items", {}), api.get("/schema")]
    for reply in replies:
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["cache-control"] == "no-store"
        assert reply.headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in reply.headers["content-security-policy"]


# --- the API's own page


def test_the_page_is_made_of_files_of_this_server_and_fits_its_policy(api: Api) -> None:
    page = api.get("/schema")
    assert page.headers["content-security-policy"] == PAGE_POLICY
    assert "unsafe" not in PAGE_POLICY
    assert "//" not in page.text.replace("<!DOCTYPE html>", "")
    assert "<script>" not in page.text
    assert "style=" not in page.text
    for name in ASSETS:
        assert f"/schema/{name}" in page.text
        asset = api.get(f"/schema/{name}")
        assert asset.content == (SWAGGER / name).read_bytes()
        assert asset.headers["content-type"].split(";")[0] == ASSETS[name]


def test_swagger_comes_with_its_licence() -> None:
    assert "Apache License" in (SWAGGER / "LICENSE").read_text(encoding="utf-8")
    assert (SWAGGER / "NOTICE").is_file()


def test_the_document_describes_every_route_once_with_the_token_it_needs(api: Api) -> None:
    document = api.get("/schema/openapi.json").json()
    operations = {
        operation["operationId"]: operation for path in document["paths"].values() for operation in path.values()
    }
    assert set(operations) == {
        "health",
        "list_items",
        "read_item",
        "read_item_qti",
        "create_item",
        "add_item_version",
        "list_standards",
        "read_standard",
        "load_outline",
    }
    assert document["security"] == [{"token": []}]
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert operations["health"]["security"] == [{}]
    assert all(operation["summary"] for operation in operations.values())
    assert set(document["components"]["schemas"]["NewItem"]["required"]) == set(NEW_ITEM) - OPTIONAL
    assert "password" not in json.dumps(document)


def test_the_document_says_what_arrays_hold(api: Api) -> None:
    schemas = api.get("/schema/openapi.json").json()["components"]["schemas"]
    option = {"type": "string", "minLength": 1, "maxLength": 2000}
    for name, field, held in (
        ("NewItem", "options", option),
        ("NewItem", "enemies", {"type": "string", "minLength": 1, "maxLength": 64}),
        ("NewVersion", "options", option),
        ("OutlineDocument", "areas", {"$ref": "#/components/schemas/AreaDocument"}),
        ("AreaDocument", "sections", {"$ref": "#/components/schemas/AreaDocument"}),
        ("AreaDocument", "points", {"$ref": "#/components/schemas/PointDocument"}),
    ):
        array = schemas[name]["properties"][field]
        assert array["type"] == "array", (name, field)
        assert held.items() <= array["items"].items(), (name, field)
    assert "{}" not in json.dumps(schemas)  # a schema of anything at all


# --- while it runs


def test_the_server_links_what_is_recorded_by_itself(bank: Bank, staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("authoring.app.LINK_SECONDS", 0.01)
    with TestClient(create_app(bank)):
        for _ in range(200):
            with reading(bank) as session:
                report = verify(session)
            if report.linked:
                break
            import time

            time.sleep(0.01)
    assert (report.linked, report.waiting, report.ok) == (3, 0, True)
    assert staff.author.code == "li.na"


def test_what_is_still_waiting_is_linked_when_the_server_ends(bank: Bank, staff: Staff) -> None:
    with TestClient(create_app(bank)):
        pass
    with reading(bank) as session:
        assert verify(session).linked == 3
    assert staff.reviewer.code == "wang.wei"


def test_a_database_that_cannot_be_linked_does_not_end_the_server(
    bank: Bank, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def busy(_: Bank) -> int:
        raise OSError("gone")

    monkeypatch.setattr("authoring.app.link_waiting", busy)
    with TestClient(create_app(bank)) as client:
        assert client.get("/health").status_code == 200
    assert "audit events wait to be linked: OSError" in caplog.text
