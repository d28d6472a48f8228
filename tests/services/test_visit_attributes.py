"""Device and source of a visit."""

import pytest

from abtest.services.checks import MAX_ATTRIBUTES, AttributeValue
from abtest.services.visit_attributes import visit_attributes

# As MDN and the makers document them.
DESKTOP = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
)
TABLET = (
    "Mozilla/5.0 (Linux; Android 14; SM-X910) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/126.0.0.0 Safari/537.36"
)


@pytest.mark.parametrize(
    ("user_agent", "expected"),
    [
        (DESKTOP, {"device": "desktop"}),
        (PHONE, {"device": "mobile"}),
        (TABLET, {"device": "mobile"}),
        ("curl/8.5.0", None),
        ("", None),
    ],
    ids=["desktop", "phone", "tablet", "no browser", "not told"],
)
def test_the_device(user_agent: str, expected: dict[str, str] | None) -> None:
    assert visit_attributes(None, url=None, user_agent=user_agent) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://shop.example/?utm_source=Newsletter&x=1", {"source": "newsletter"}),
        ("https://shop.example/?a=1&utm_source=t.co#top", {"source": "t.co"}),
        ("https://shop.example/?utm_source=", None),
        ("https://shop.example/?utm_source=a%20b@c.example", None),
        (f"https://shop.example/?utm_source={'x' * 65}", None),
        ("https://[shop.example/?utm_source=Ads", {"source": "ads"}),
        ("https://shop.example/", None),
        (None, None),
    ],
    ids=["campaign", "host", "empty", "no name", "long", "broken", "none", "no url"],
)
def test_the_source(url: str | None, expected: dict[str, str] | None) -> None:
    assert visit_attributes(None, url=url, user_agent="") == expected


def test_what_the_caller_tells_stands() -> None:
    told: dict[str, AttributeValue] = {"device": "watch", "plan": 3}
    url = "https://shop.example/?utm_source=ads"
    found = visit_attributes(told, url=url, user_agent=PHONE)
    assert found == {"device": "watch", "plan": 3, "source": "ads"}
    assert told == {"device": "watch", "plan": 3}


def test_the_limit_of_attributes_is_left_to_the_caller() -> None:
    many: dict[str, AttributeValue] = {str(n): n for n in range(MAX_ATTRIBUTES - 1)}
    assert visit_attributes(many, url=None, user_agent=PHONE) == many
