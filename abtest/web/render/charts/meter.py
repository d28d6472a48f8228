"""How much is in, of what is expected."""

from markupsafe import Markup

from abtest.web.render.charts.svg import bar, chart, element


def draw_meter(key: str, share: float, *, title: str, description: str) -> Markup:
    """Draw a bar that fills from 0 to 1."""
    track = element(
        "rect", x=0, y=0, width="100%", height=14, rx=2, class_="meter-track"
    )
    filled = bar(key, 1, y=0, width=min(1.0, max(0.0, share)), height=14)
    return chart(
        key, title=title, description=description, height=14, drawing=[track, filled]
    )
