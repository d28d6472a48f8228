"""QR codes as SVG, for whoever wants to see a page on a telephone."""

import segno
from markupsafe import Markup

_MARGIN = 2
"""Light modules around the code, on top of the white of its frame."""


def draw_qr(text: str, *, title: str) -> Markup:
    """Return a code that scales with its frame.

    Dark modules are black and the ground is white in every colour scheme: readers of
    codes expect no other.

    Args:
        title: what a screen reader says instead.
    """
    code = segno.make_qr(text, error="m")
    svg = code.svg_inline(
        border=_MARGIN, dark="#000", light="#fff", omitsize=True, title=title
    )
    return Markup(svg.replace("<svg ", '<svg role="img" ', 1))  # noqa: S704 - segno escapes its title
