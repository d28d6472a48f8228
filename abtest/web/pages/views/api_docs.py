"""Everything the page of the API shows, taken from its OpenAPI document."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from abtest.services.access import kinds_with
from abtest.web.api.admin_routes import ADMIN_ROUTES
from abtest.web.api.experiment_routes import EXPERIMENT_ROUTES
from abtest.web.api.landing_routes import LANDING_ROUTES
from abtest.web.api.openapi import Json, Node, describe
from abtest.web.api.serving import Parameter, Route
from abtest.web.render.reader import Reader
from abtest.web.render.translate import mark

_GROUPS: Mapping[str, tuple[str, tuple[Route, ...]]] = {
    "landing": (mark("For web pages and shops"), LANDING_ROUTES),
    "experiments": (mark("For experiments and reports"), EXPERIMENT_ROUTES),
    "administration": (mark("For administration"), ADMIN_ROUTES),
}
_REST = ("service", mark("For whoever runs the service"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One route; `types` are what goes in and what comes out, by a word for each."""

    method: str
    path: str
    summary: str
    kinds: str
    query: tuple[Parameter, ...]
    types: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Calls for the same purpose."""

    key: str
    title: str
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a type."""

    name: str
    type: Markup
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Type:
    """A type of the API; it has fields, or is one of some choices."""

    name: str
    text: str
    fields: tuple[Field, ...]
    choices: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiView:
    """The page."""

    groups: tuple[Group, ...]
    types: tuple[Type, ...]


def view_api(reader: Reader, routes: Sequence[Route]) -> ApiView:
    """Group the calls by whom they are for; the rest is for operators."""
    grouped = {route for _, those in _GROUPS.values() for route in those}
    rest = tuple(route for route in routes if route not in grouped)
    everything = {**_GROUPS, _REST[0]: (_REST[1], rest)}
    return ApiView(
        groups=tuple(
            Group(
                key=key,
                title=reader.gettext(title),
                calls=tuple(_call(reader, route) for route in those),
            )
            for key, (title, those) in everything.items()
        ),
        types=tuple(_types(describe(routes))),
    )


def _call(reader: Reader, route: Route) -> Call:
    both = ((mark("Body"), route.body), (mark("Answer"), route.answer))
    return Call(
        method=route.method,
        path=route.path,
        summary=route.summary,
        kinds="" if route.right is None else ", ".join(kinds_with(route.right)),
        query=route.query,
        types=tuple(
            (reader.gettext(words), what.__name__)
            for words, what in both
            if isinstance(what, type) and what is not dict
        ),
    )


def _types(document: Node) -> list[Type]:
    schemas = _node(_node(document.get("components")).get("schemas"))
    return [_type(name, _node(schema)) for name, schema in schemas.items()]


def _type(name: str, schema: Node) -> Type:
    choices = schema.get("enum")
    return Type(
        name=name,
        text=str(schema.get("description", "")),
        fields=tuple(
            Field(
                name=field,
                type=_type_words(_node(node)),
                meaning=str(_node(node).get("description", "")),
            )
            for field, node in _node(schema.get("properties")).items()
        ),
        choices=", ".join(map(json.dumps, choices))
        if isinstance(choices, list)
        else "",
    )


def _type_words(node: Node) -> Markup:
    """Name the type of a field in a few words, with a link where it has an entry."""
    if isinstance(ref := node.get("$ref"), str):
        name = ref.rpartition("/")[2]
        return Markup('<a href="#{0}">{0}</a>').format(name)
    if isinstance(choices := node.get("anyOf"), list):
        return Markup(" or ").join(_type_words(_node(choice)) for choice in choices)
    if isinstance(items := node.get("items"), dict):
        return Markup("list of {}").format(_type_words(items))
    return Markup("{}").format(str(node.get("type", "anything")))


def _node(json_value: Json) -> Node:
    return json_value if isinstance(json_value, dict) else {}
