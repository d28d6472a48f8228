"""Links with which results are read without a login."""

from collections.abc import Sequence
from dataclasses import dataclass

from abtest.domain.share import ShareLink
from abtest.web.pages.views.times import day_in_zone
from abtest.web.render.reader import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkView:
    """An open link."""

    key: str
    words: str


def link_views(
    reader: Reader, links: Sequence[ShareLink], zone: str
) -> tuple[LinkView, ...]:
    """Describe open links."""
    return tuple(
        LinkView(
            key=link.id,
            words=reader.gettext(
                "made on {made} by {name}, open until {end}",
                made=day_in_zone(reader, link.created_at, zone),
                name=link.created_by.removeprefix("user "),
                end=day_in_zone(reader, link.expires_at, zone),
            ),
        )
        for link in links
    )
