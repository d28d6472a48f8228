"""What of a visit is worth keeping: the kind of device and where it came from."""

import re
from functools import lru_cache

from abtest.services.checks import MAX_ATTRIBUTES, AttributeValue

# Words in the User-Agent of phones and tablets, from the documentation of browsers:
# https://developer.mozilla.org/docs/Web/HTTP/Browser_detection_using_the_user_agent
_MOBILE = re.compile(r"Mobi|Android|iPhone|iPad|Tablet|Silk/")
_SOURCE = re.compile(r"[?&]utm_source=([\w.-]{1,64})(?:[&#]|$)", re.ASCII)


def visit_attributes(
    attributes: dict[str, AttributeValue] | None,
    *,
    url: str | None,
    user_agent: str,
) -> dict[str, AttributeValue] | None:
    """Return the attributes with `device` and `source`, unless the caller gave them.

    Both are coarse on purpose; neither the User-Agent nor the address is kept.

    Args:
        url: of the page, as the browser tells it; its `utm_source` is the source.
        user_agent: of the visitor's browser; empty when not known. Tablets that call
            themselves desktops are taken for such.
    """
    device = _device(user_agent) if user_agent else None
    source = _source(url) if url else None
    if device is None and source is None:
        return attributes
    known = dict(attributes or {})
    if len(known) > MAX_ATTRIBUTES - 2:
        return attributes
    if device is not None:
        known.setdefault("device", device)
    if source is not None:
        known.setdefault("source", source)
    return known


@lru_cache(maxsize=4096)
def _device(user_agent: str) -> str | None:
    """Return `mobile` or `desktop`; None for what is no browser."""
    if _MOBILE.search(user_agent):
        return "mobile"
    return "desktop" if user_agent.startswith("Mozilla/") else None


def _source(url: str) -> str | None:
    """Return the `utm_source` of an address, in lower case, if it looks like a name."""
    found = _SOURCE.search(url)
    return None if found is None else found[1].lower()
