"""A number as it is printed, with the place in the report that it comes from."""

import json
from dataclasses import dataclass

from markupsafe import Markup, escape

from abtest.stats.results import Interval
from abtest.web.render.reader import Reader


@dataclass(frozen=True, slots=True)
class Figure:
    """A printed number; templates print it as an element that can be checked.

    Attributes:
        path: where the JSON report holds it, for example `variants.0.visitors`.
        value: what the JSON report holds there.
    """

    text: str
    path: str
    value: str | float | tuple[float | None, float | None] | None

    def __html__(self) -> Markup:
        """Write the number as HTML."""
        return Markup('<span data-path="{}" data-value="{}">{}</span>').format(
            self.path, json.dumps(self.value), self.text
        )


@dataclass(frozen=True, slots=True)
class RatioFigure:
    """A printed share of two numbers that both stand in the report."""

    text: str
    part_path: str
    whole_path: str

    def __html__(self) -> Markup:
        """Write the share as HTML."""
        return Markup('<span data-part="{}" data-whole="{}">{}</span>').format(
            self.part_path, self.whole_path, self.text
        )


Shown = Figure | RatioFigure | str
"""A cell of a table: a number, or words where there is none."""


def ends(interval: Interval | None) -> tuple[float | None, float | None] | None:
    """Return an interval as the JSON report writes it."""
    return None if interval is None else (interval.lower, interval.upper)


def rich(reader: Reader, message: str, /, **values: Shown) -> Markup:
    """Say a message with numbers in it that can be checked."""
    return escape(reader.catalogue.find(message)).format_map(values)
