"""Fills in the set-up form as a browser does, and reads what it says back."""

import re
from collections.abc import Mapping

from tests.web.pages.reading import by_attribute, elements

GERMAN = {"Accept-Language": "de-DE"}


def typed(**changes: str | list[str]) -> dict[str, str | list[str]]:
    """Return what a browser sends for a small shop."""
    return {
        "do": "save",
        "name": "Größere Überschrift",
        "hypothesis": "We believe that it helps.",
        "page_url": "https://www.example.com/landing?a=1#top",
        "variant_name": ["Old", "New"],
        "variant_key": ["a", "b"],
        "variant_weight": ["1", "1"],
        "variant_payload": ["", '{"url": "https://www.example.com/b"}'],
        "coverage": "50",
        "step_name": ["Sign-up", "Purchase"],
        "step_key": ["", ""],
        "step_kind": ["lead", "main"],
        "first": "0",
        "second": "1",
        "window_days": "30",
        "worth": "points",
        "first_points": "1",
        "second_points": "2.5",
        "currency": "EUR",
        "effect": "10",
        "alpha": "5",
        "power": "80",
        "margin": "20",
        "method": "sequential",
        "design": "group_sequential",
        "time_zone": "Europe/Berlin",
        **changes,
    }


def wrong(page: str) -> dict[str, str]:
    """Return the sentence of each field that is marked as wrong, by its id."""
    sentences = {
        e.attributes["id"]: e.text
        for e in elements(page)
        if "problem" in e.attributes.get("class", "").split()
    }
    found = {}
    for element in by_attribute(page, "aria-invalid"):
        described = element.attributes["aria-describedby"].split()
        found[element.attributes["id"]] = sentences[described[0]]
    return found


def links_of_summary(page: str) -> list[str]:
    (summary,) = (e for e in elements(page) if e.attributes.get("id") == "problems")
    del summary
    part = page[page.index('id="problems"') : page.index('id="restore"')]
    return re.findall(r'href="#([\w-]+)"', part)


def values(page: str) -> Mapping[str, str]:
    return {
        e.attributes["id"]: e.attributes["value"]
        for e in by_attribute(page, "value")
        if e.tag == "input" and "id" in e.attributes
    }
