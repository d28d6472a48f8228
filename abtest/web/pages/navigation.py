"""The ways between pages: what stands in the bars at their top."""

from dataclasses import dataclass

from flask import current_app, request, url_for

from abtest.web.pages.rendering import current_reader
from abtest.web.render.translate import mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One entry of a bar."""

    words: str
    address: str
    is_here: bool


_MAIN = (
    ("overview", mark("Experiments")),
    ("traffic", mark("All traffic")),
    ("archive", mark("What we learned")),
    ("keys", mark("Settings")),
    ("help", mark("Help")),
)
_EXPERIMENT = (
    ("results", mark("Results")),
    ("segments", mark("Segments")),
    ("customers", mark("Customers")),
    ("costs", mark("Costs")),
    ("health", mark("Data quality")),
    ("install", mark("Installation")),
    ("set_up", mark("Set-up")),
)
_SETTINGS = (
    ("keys", mark("Keys")),
    ("users", mark("People")),
    ("privacy", mark("Privacy")),
    ("system", mark("System")),
    ("audit", mark("Audit log")),
    ("account", mark("My account")),
)
_INSIDE = frozenset({"new_experiment", "decide"})
"""Pages of experiments that stand in no bar of their own."""


def main_ways() -> tuple[Way, ...]:
    """Return the ways between the rooms of the house."""
    room = _name_of_page()
    if room in dict(_EXPERIMENT) or room in _INSIDE:
        room = "overview"
    if room in dict(_SETTINGS):
        room = "keys"
    return _ways(_MAIN, room)


def experiment_ways(key: str) -> tuple[Way, ...]:
    """Return the ways between the pages of one experiment."""
    return _ways(_EXPERIMENT, _name_of_page(), key=key)


def settings_ways() -> tuple[Way, ...]:
    """Return the ways between the pages of the installation."""
    return _ways(_SETTINGS, _name_of_page())


def _ways(
    entries: tuple[tuple[str, str], ...], here: str, key: str | None = None
) -> tuple[Way, ...]:
    reader = current_reader()
    return tuple(
        Way(
            words=reader.gettext(words),
            address=url_for(f"pages.{name}", key=key),
            is_here=name == here,
        )
        for name, words in entries
        if f"pages.{name}" in current_app.view_functions
    )


def _name_of_page() -> str:
    """Return the page that a view belongs to: `keys` for `pages.keys-revoke`."""
    return (request.endpoint or "").removeprefix("pages.").partition("-")[0]
