"""Every link of every page leads somewhere, to the very place it names."""

from collections import deque
from urllib.parse import urljoin, urlsplit

import pytest
from flask.testing import FlaskClient

from abtest.store.protocol import Store
from tests.web.pages.reading import by_attribute

ENOUGH = 150
"""Pages after which a shop as small as this must have been seen whole."""


def links(page: str, address: str) -> list[str]:
    found = [e.attributes["href"] for e in by_attribute(page, "href")]
    return [urljoin(address, link) for link in found]


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("start", ["/", "/help", "/api/docs"])
def test_every_link_leads_somewhere(reader: FlaskClient, start: str) -> None:
    seen: dict[str, set[str]] = {}
    wanted = deque([(start, "where one begins")])
    broken: list[str] = []
    while wanted:
        link, source = wanted.popleft()
        place = urlsplit(link)
        assert not place.netloc, f"{source} links to another host: {link}"
        address = place._replace(fragment="").geturl()
        if address not in seen:
            assert len(seen) < ENOUGH, f"links without end, as in {address}"
            with reader.get(address) as answer:
                if answer.status_code != 200:
                    broken.append(f"{source}: {link} answers {answer.status_code}")
                is_page = answer.content_type.startswith("text/html")
                page = answer.get_data(as_text=True) if is_page else ""
            seen[address] = {e.attributes["id"] for e in by_attribute(page, "id")}
            wanted.extend((link, address) for link in links(page, address))
        if place.fragment and place.fragment not in seen[address]:
            broken.append(f"{source}: there is no {link}")
    assert broken == []
    assert {"/", "/help", "/settings/keys"} <= seen.keys()


def test_every_link_of_a_stranger(visitor: FlaskClient, store: Store) -> None:
    del store
    for address in ("/help", "/api/docs", "/login"):
        page = visitor.get(address).text
        ids = {e.attributes["id"] for e in by_attribute(page, "id")}
        for link in links(page, address):
            place = urlsplit(link)
            if place.path == address and place.fragment:
                assert place.fragment in ids, link
            with visitor.get(place.path) as answer:
                assert answer.status_code in {200, 303}, link
