"""The funnel: how many visitors of each variant reached each step."""

from dataclasses import dataclass
from textwrap import wrap

from markupsafe import Markup

from abtest.web.render.charts.svg import bar, chart, cut, element, text

_GAP, _ROW, _BAR = 16, 38, 12
_LINE, _LABEL = 36, 22
"""Letters that fit on a telephone: in a line, and beside a count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelBar:
    """One variant at one step.

    Attributes:
        label: the variant's name.
        words: count and shares, as they are printed.
        share: of the visitors of that variant, 0 to 1.
    """

    label: str
    words: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelStage:
    """One step with a bar for each variant, control first.

    Attributes:
        note: whether it is the first or the second conversion.
    """

    name: str
    note: str = ""
    bars: tuple[FunnelBar, ...]


def draw_funnel(
    key: str, stages: tuple[FunnelStage, ...], *, title: str, description: str
) -> Markup:
    """Draw the steps from top to bottom.

    Within a step the longest bar fills the width: few visitors buy, and on a scale of
    all visitors nobody could see which variant wins more of them.
    """
    drawing: list[Markup] = []
    y = 0
    for stage in stages:
        for line in wrap(stage.name, _LINE):
            y += 18
            drawing.append(element("g", [text(line, x=0, y=y)], class_="stage"))
        if stage.note:
            y += 16
            drawing.append(element("g", [text(stage.note, x=0, y=y)], class_="soft"))
        longest = max((b.share for b in stage.bars), default=0.0) or 1.0
        for series, one in enumerate(stage.bars):
            drawing += _row(key, one, series=series, y=y, longest=longest)
            y += _ROW
        y += _GAP
    return chart(key, title=title, description=description, height=y, drawing=drawing)


def _row(
    key: str, one: FunnelBar, *, series: int, y: int, longest: float
) -> list[Markup]:
    return [
        text(cut(one.label, _LABEL), x=0, y=y + 19),
        text(one.words, x=1, y=y + 19, anchor="end"),
        bar(key, series, y=y + 25, width=one.share / longest, height=_BAR),
    ]
