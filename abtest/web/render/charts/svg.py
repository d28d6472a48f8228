"""SVG elements with escaped text, in lengths that follow the width of the page."""

from collections.abc import Iterable

from markupsafe import Markup, escape

SERIES = 5
"""Variants that get a colour and a pattern of their own; then they repeat."""


def element(
    name: str, children: Iterable[Markup | str] = (), /, **attributes: str | float
) -> Markup:
    """Return an element; children that are no `Markup` are escaped.

    Attribute names are written with an underscore for the hyphen, and one behind
    words that Python keeps for itself: `class_`.
    """
    written = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _text(value))
        for key, value in attributes.items()
    )
    inside = Markup("").join(escape(child) for child in children)
    return Markup("<{0}{1}>{2}</{0}>").format(name, written, inside)


def percent(share: float) -> str:
    """Write a length as a share of the chart's width."""
    return f"{_text(100 * share)}%"


def text(words: Markup | str, *, x: float, y: float, anchor: str = "start") -> Markup:
    """Return a line of text; `x` as a share of the width, `y` in pixels."""
    return element("text", [words], x=percent(x), y=y, text_anchor=anchor)


def cut(words: str, length: int) -> str:
    """Shorten words that would run into others; the table has them in full."""
    return words if len(words) <= length else f"{words[: length - 1].rstrip()}…"


def chart(
    key: str, *, title: str, description: str, height: float, drawing: Iterable[Markup]
) -> Markup:
    """Return a chart as wide as its place, with a name and a description.

    Args:
        key: unique on the page.
    """
    names = [
        element("title", [title], id=f"{key}-title"),
        element("desc", [description], id=f"{key}-desc"),
    ]
    return element(
        "svg",
        [*names, patterns(key), *drawing],
        class_="chart",
        role="img",
        aria_labelledby=f"{key}-title {key}-desc",
        width="100%",
        height=height,
    )


def patterns(key: str) -> Markup:
    """Return the patterns that tell series apart without colour."""
    lines = ("M0 8 8 0", "M0 4H8", "M4 0V8", "M0 8 8 0M0 0 8 8")
    return element(
        "defs",
        [
            element(
                "pattern",
                [element("path", d=path, class_="hatch")],
                id=f"{key}-pattern-{number}",
                width=8,
                height=8,
                patternUnits="userSpaceOnUse",
            )
            for number, path in enumerate(lines, start=1)
        ],
    )


def bar(key: str, series: int, *, y: float, width: float, height: float) -> Markup:
    """Return a bar from the left edge, coloured and patterned as its series."""
    shape: dict[str, str | float] = {
        "x": 0,
        "y": y,
        "width": percent(width),
        "height": height,
        "rx": 2,
    }
    number = series % SERIES
    filled = element("rect", class_=f"series-{number}", **shape)
    if number == 0:
        return filled
    hatched = element("rect", fill=f"url(#{key}-pattern-{number})", **shape)
    return filled + hatched


def _text(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return f"{value:.2f}".rstrip("0").rstrip(".")
