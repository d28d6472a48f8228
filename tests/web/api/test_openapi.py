"""The API's documentation says what the service does."""

import json
from html.parser import HTMLParser
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]  # it brings no types
import pytest
from openapi_spec_validator import validate
from werkzeug.test import Client

from abtest.app import create_flask
from abtest.domain.access import KeyKind
from abtest.web.api.docs import document_text
from abtest.web.api.routes import ROUTES
from abtest.web.context import Context
from tests.web.api.conftest import HOME, Asker

KEPT = Path(__file__).parents[3] / "docs" / "openapi.json"
DOCUMENT = json.loads(document_text(ROUTES))


def test_the_document_is_valid_and_served(client: Client) -> None:
    validate(DOCUMENT)
    assert client.get("/api/v1/openapi.json").get_json() == DOCUMENT


def test_the_kept_copy_is_current() -> None:
    text = KEPT.read_text("utf-8")
    assert text == document_text(ROUTES), (
        "docs/openapi.json is old; write it anew with `make docs`"
    )


def test_every_route_is_documented(context: Context) -> None:
    served = {
        (method, rule.rule.replace("<", "{").replace(">", "}"))
        for rule in create_flask(context).url_map.iter_rules()
        if rule.rule.startswith("/api/") and not rule.endpoint.startswith("pages.")
        for method in rule.methods or ()
        if method not in {"HEAD", "OPTIONS"}
    }
    documented = {
        (method.upper(), path)
        for path, operations in DOCUMENT["paths"].items()
        for method in operations
    }
    assert served <= documented


def test_every_type_and_field_has_a_sentence_or_speaks_for_itself() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert [name for name, s in schemas.items() if not s.get("description")] == []
    assert schemas["ExperimentView"]["properties"]["version"]["description"] == (
        "for If-Match."
    )
    assert "Attributes:" not in json.dumps(DOCUMENT)


@pytest.mark.parametrize(
    ("method", "path", "body", "schema"),
    [
        ("POST", "/experiments", {**HOME, "key": "other"}, "ExperimentView"),
        ("GET", "/experiments", None, "ExperimentPage"),
        ("GET", "/keys", None, "KeyPage"),
        ("POST", "/keys", {"kind": "sk"}, "NewKeyView"),
        ("GET", "/audit", None, "AuditPage"),
        ("POST", "/experiments", {}, "Problem"),
    ],
)
def test_answers_fit_their_schema(
    ask: Asker, running: str, method: str, path: str, body: object, schema: str
) -> None:
    answer = ask.manage(method, path, body)
    reference = {"$ref": f"#/components/schemas/{schema}"}
    jsonschema.validate(answer.content, {**DOCUMENT, **reference})
    assert running == "home"


def test_recorded_answers_fit_their_schema(ask: Asker, running: str) -> None:
    assert running == "home"
    for answer, schema in (
        (ask.assign({"experiments": ["home", "nope"]}), "AssignView"),
        (ask.send({"events": [{"type": "x"}]}, key=KeyKind.SERVER), "RecordResult"),
    ):
        reference = {"$ref": f"#/components/schemas/{schema}"}
        jsonschema.validate(answer.content, {**DOCUMENT, **reference})


class Page(HTMLParser):
    """Collects the tags, ids, links and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        told = dict(attrs)
        self.ids |= {told["id"] or ""} if "id" in told else set()
        self.links += [told["href"] or ""] if "href" in told else []

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_for_people(client: Client) -> None:
    answer = client.get("/api/docs")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    page = Page(answer.get_data(as_text=True))
    assert "script" not in page.tags
    for route in ROUTES:
        assert f"{route.method} {route.path}" in page.text
        assert route.summary in page.text
    local = {link[1:] for link in page.links if link.startswith("#")}
    assert local
    assert local <= page.ids
    assert all(link.startswith(("#", "/")) for link in page.links)
