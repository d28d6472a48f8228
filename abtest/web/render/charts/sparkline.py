"""A row of small bars, one for each day; the text beside it says what it shows."""

from collections.abc import Sequence

from markupsafe import Markup

from abtest.web.render.charts.svg import element

_STEP, _BAR, _HEIGHT = 4, 3, 24


def draw_sparkline(values: Sequence[int]) -> Markup:
    """Draw the values, the oldest first, the largest as high as the drawing.

    One path for all bars: an overview has hundreds of these. It is hidden from screen
    readers, because it adds nothing to the text beside it.
    """
    largest = max(values, default=0)
    if not largest:
        return Markup("")
    # What is not nothing shows at least one pixel.
    heights = (max(1, round(_HEIGHT * v / largest)) if v else 0 for v in values)
    bars = "".join(
        f"M{_STEP * i} {_HEIGHT}v-{height}h{_BAR}v{height}z"
        for i, height in enumerate(heights)
        if height
    )
    width = _STEP * len(values) - (_STEP - _BAR)
    return element(
        "svg",
        [element("path", d=bars)],
        class_="spark",
        viewBox=f"0 0 {width} {_HEIGHT}",
        width=width,
        height=_HEIGHT,
        aria_hidden="true",
    )
