"""Serves the API's documentation: the OpenAPI document and a page for people."""

import json
from collections.abc import Iterator, Sequence
from html import escape

import msgspec

from abtest.services.access import kinds_with
from abtest.web.api.openapi import Json, Node, describe
from abtest.web.api.serving import Route
from abtest.web.exchange import Reply


def document_reply(routes: Sequence[Route]) -> Reply:
    """Answer with the OpenAPI document."""
    return Reply(body=document_text(routes).encode())


def document_text(routes: Sequence[Route]) -> str:
    """Return the OpenAPI document as it is served and kept in docs/openapi.json."""
    return json.dumps(describe(routes), indent=2, ensure_ascii=False) + "\n"


def page_reply(routes: Sequence[Route]) -> Reply:
    """Answer with the documentation as one plain page."""
    page = "".join(_page(routes))
    return Reply(body=page.encode(), content_type="text/html; charset=utf-8")


def _page(routes: Sequence[Route]) -> Iterator[str]:
    document = describe(routes)
    yield '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield "<title>abtest API</title></head><body><main><h1>abtest API</h1>"
    yield "<p>JSON in UTF-8. Keys go into the header <code>Authorization: Bearer"
    yield " KEY</code>. Errors are problem details (RFC 9457). The same for programs:"
    yield ' <a href="/api/v1/openapi.json">openapi.json</a>.</p><h2>Calls</h2>'
    for route in routes:
        yield from _route(route)
    yield "<h2>Types</h2>"
    components = document["components"]
    schemas = components["schemas"] if isinstance(components, dict) else {}
    if isinstance(schemas, dict):
        for name, schema in schemas.items():
            yield from _schema(name, schema)
    yield "</main></body></html>"


def _route(route: Route) -> Iterator[str]:
    yield f"<h3><code>{route.method} {escape(route.path)}</code></h3>"
    yield f"<p>{escape(route.summary)}."
    if route.right is not None:
        yield f" Key: {' or '.join(kinds_with(route.right))}."
    for label, what in (("Body", route.body), ("Answer", route.answer)):
        if isinstance(what, type) and what is not dict:
            yield f' {label}: <a href="#{what.__name__}">{what.__name__}</a>.'
    yield "</p>"
    if route.query:
        yield "<ul>"
        for p in route.query:
            yield f"<li><code>{escape(p.name)}</code> ({p.type}): {escape(p.help)}</li>"
        yield "</ul>"


def _schema(name: str, schema: Json) -> Iterator[str]:
    if not isinstance(schema, dict):
        return
    yield f'<h3 id="{escape(name)}">{escape(name)}</h3>'
    if description := schema.get("description"):
        yield f"<p>{escape(str(description))}</p>"
    properties = schema.get("properties")
    if isinstance(properties, dict):
        yield "<table><thead><tr><th>Field</th><th>Type</th><th>Meaning</th></tr>"
        yield "</thead><tbody>"
        for field, value in properties.items():
            node = value if isinstance(value, dict) else {}
            meaning = escape(str(node.get("description", "")))
            yield f"<tr><td><code>{escape(field)}</code></td>"
            yield f"<td>{_type(node)}</td><td>{meaning}</td></tr>"
        yield "</tbody></table>"
    elif choices := schema.get("enum"):
        yield f"<p>One of <code>{escape(msgspec.json.encode(choices).decode())}</code>."
        yield "</p>"


def _type(node: Node) -> str:
    """Name the type of a property in a few words."""
    if isinstance(ref := node.get("$ref"), str):
        name = escape(ref.rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if isinstance(choices := node.get("anyOf"), list):
        return " or ".join(_type(c) for c in choices if isinstance(c, dict))
    if isinstance(items := node.get("items"), dict):
        return f"list of {_type(items)}"
    return escape(str(node.get("type", "anything")))
