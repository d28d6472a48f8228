"""The API as an OpenAPI 3.1 document, made from the routes and their types."""

import re
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from inspect import cleandoc

import msgspec

from abtest import __version__
from abtest.domain.access import KeyKind
from abtest.services.access import kinds_with
from abtest.web.api.serving import Route
from abtest.web.api.shapes import ActionBody
from abtest.web.errors import PROBLEM_JSON, Problem

Json = dict[str, "Json"] | list["Json"] | str | float | int | bool | None
Node = dict[str, Json]

_REF = "#/components/schemas/{name}"
_EVERYWHERE = (400, 500)
_GUARDED = (401, 403, 503)
_ATTRIBUTE = re.compile(r"^(?P<names>\w+(?:, \w+)*): (?P<text>.*)$")


def describe(routes: Sequence[Route]) -> Node:
    """Return the whole document."""
    types = [t for r in routes for t in (r.body, r.answer) if t is not None]
    schemas, components = msgspec.json.schema_components(
        [*types, Problem], schema_hook=_anything, ref_template=_REF
    )
    by_type = dict(zip(map(repr, types), schemas, strict=False))
    paths: dict[str, Node] = {}
    for route in routes:
        operation = _operation(route, by_type)
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "abtest",
            "version": __version__,
            "summary": "A/B tests that weigh first and second conversions",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "paths": dict(paths),
        "components": {
            "schemas": {name: _worded(s) for name, s in components.items()},
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A key made by `abtest key create`:"
                    f" {', '.join(KeyKind)}.",
                }
            },
        },
    }


def _anything(_type: type) -> Node:
    """Describe what may be any JSON."""
    return {"description": "any JSON value"}


def _operation(route: Route, schemas: dict[str, Node]) -> Node:
    operation: Node = {
        "operationId": _operation_id(route),
        "summary": route.summary,
        "parameters": [*_path_parameters(route), *_query_parameters(route)],
        "responses": _responses(route, schemas),
        "security": [],
    }
    if route.right is not None:
        operation["security"] = [{"key": []}]
        kinds = " or ".join(kinds_with(route.right))
        operation["description"] = f"Needs a key of kind {kinds}."
    if route.body is not None:
        operation["requestBody"] = {
            "required": route.body is not ActionBody,
            "content": _bodies(route, schemas[repr(route.body)]),
        }
    return operation


def _bodies(route: Route, schema: Node) -> Node:
    """Open routes also take what a browser sends without asking first."""
    content: Node = {"application/json": {"schema": schema}}
    if route.is_open:
        content["text/plain"] = {"schema": schema}
    return content


def _responses(route: Route, schemas: dict[str, Node]) -> Node:
    success: Node = {"description": HTTPStatus(route.status).phrase}
    if route.answer is not None:
        success["content"] = {
            route.content_type: {"schema": schemas[repr(route.answer)]}
        }
    elif route.status != 204:
        success["content"] = {route.content_type: {"schema": {"type": "string"}}}
    guarded = () if route.right is None else _GUARDED
    problem: Node = {PROBLEM_JSON: {"schema": {"$ref": _REF.format(name="Problem")}}}
    failures: Node = {
        str(status): {"description": HTTPStatus(status).phrase, "content": problem}
        for status in sorted({*_EVERYWHERE, *guarded, *route.errors})
    }
    return {str(route.status): success, **failures}


def _path_parameters(route: Route) -> Iterator[Node]:
    for name in re.findall(r"\{(\w+)\}", route.path):
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string"},
        }


def _query_parameters(route: Route) -> Iterator[Node]:
    for parameter in route.query:
        yield {
            "name": parameter.name,
            "in": "query",
            "description": parameter.help,
            "schema": {"type": parameter.type},
        }


def _operation_id(route: Route) -> str:
    words = re.findall(r"\w+", route.path.removeprefix("/api/v1"))
    return "_".join([route.method.lower(), *words])


def _worded(schema: Node) -> Node:
    """Give each property the sentence that the type's docstring has for it."""
    text = schema.get("description")
    if not isinstance(text, str):
        return schema
    summary, _, attributes = cleandoc(text).partition("\n\nAttributes:\n")
    schema = {**schema, "description": " ".join(summary.split())}
    properties = schema.get("properties")
    if isinstance(properties, dict):
        sentences = dict(_sentences(attributes))
        schema["properties"] = {
            name: {**p, "description": sentences[name]}
            if isinstance(p, dict) and name in sentences
            else p
            for name, p in properties.items()
        }
    return schema


def _sentences(attributes: str) -> Iterator[tuple[str, str]]:
    """Read the lines `name: sentence`, which may go on indented."""
    names: tuple[str, ...] = ()
    text = ""
    for line in [*cleandoc(f"\n{attributes}").splitlines(), "end: "]:
        if match := _ATTRIBUTE.match(line):
            yield from ((name, text) for name in names)
            names, text = tuple(match["names"].split(", ")), match["text"]
        else:
            text = f"{text} {line.strip()}".strip()
