"""Reads a page as a person or a program would: numbers, sections, visible text."""

import json
import re
from dataclasses import dataclass
from html.parser import HTMLParser

BLOCKS = frozenset({"dd", "div", "dt", "h1", "h2", "h3", "h4", "li", "p", "td", "th"})
VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """An element with its attributes and the text inside, spaces made one."""

    tag: str
    attributes: dict[str, str]
    text: str


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self._open: list[tuple[str, dict[str, str], list[str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag in VOID:
            self.elements.append(Element(tag=tag, attributes=attributes, text=""))
        else:
            self._open.append((tag, attributes, []))

    def handle_data(self, data: str) -> None:
        for _, _, texts in self._open:
            texts.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag in BLOCKS:
            self.handle_data(" ")
        opened, attributes, texts = self._open.pop()
        assert opened == tag, f"<{opened}> is closed by </{tag}>"
        # A no-break space is part of the text.
        text = re.sub(r"[ \n]+", " ", "".join(texts)).strip(" ")
        self.elements.append(Element(tag=tag, attributes=attributes, text=text))

    def finish(self) -> None:
        left = [(tag, attributes) for tag, attributes, _ in self._open]
        assert left == []


def elements(page: str) -> list[Element]:
    """Return all elements; the page must be well formed."""
    reader = _Reader()
    reader.feed(page)
    reader.finish()
    return reader.elements


def by_attribute(page: str, name: str) -> list[Element]:
    """Return the elements that have an attribute."""
    return [e for e in elements(page) if name in e.attributes]


def text_of(page: str, key: str) -> str:
    """Return the text of the element with this id."""
    (found,) = (e for e in elements(page) if e.attributes.get("id") == key)
    return found.text


def problems(page: str) -> dict[str, str]:
    """Return the sentence that belongs to each field that is wrong."""
    return {
        e.attributes.get("id", e.attributes.get("name", "")): text_of(
            page, e.attributes["aria-describedby"].split()[0]
        )
        for e in by_attribute(page, "aria-invalid")
    }


def sections(page: str) -> list[str]:
    """Return the ids of the sections, in order."""
    starts = page.split('<section id="')[1:]
    return [start.partition('"')[0] for start in starts]


def value_at(report: object, path: str) -> object:
    """Return what a JSON report holds at a path such as `variants.0.visitors`."""
    found = report
    for step in path.split("."):
        if isinstance(found, list):
            found = found[int(step)]
        else:
            assert isinstance(found, dict), path
            found = found[step]
    return found


def printed_value(element: Element) -> object:
    """Return the number that an element says it prints."""
    return json.loads(element.attributes["data-value"])


def words(markup: str) -> str:
    """Return the words without the elements around numbers."""
    return "".join(
        piece.partition(">")[2] if ">" in piece else piece
        for piece in markup.split("<")
    )
