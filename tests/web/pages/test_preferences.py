"""Language, appearance and static files."""

import pytest
from flask.testing import FlaskClient


def language_of(visitor: FlaskClient, accepted: str) -> str:
    page = visitor.get("/help", headers={"Accept-Language": accepted}).text
    return page.partition('<html lang="')[2].partition('"')[0]


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("de", "de-DE"),
        ("de-AT,de;q=0.9", "de-AT"),
        ("fr,de-CH;q=0.5", "de-CH"),
        ("en-US", "en-US"),
        ("fr", "en-GB"),
        ("", "en-GB"),
    ],
)
def test_the_browser_says_which_language(
    visitor: FlaskClient, accepted: str, expected: str
) -> None:
    assert language_of(visitor, accepted) == expected


def test_a_chosen_language_goes_first_and_keeps_the_country(
    visitor: FlaskClient,
) -> None:
    answer = visitor.post(
        "/settings/language", data={"language": "de", "next": "/help"}
    )
    assert (answer.status_code, answer.location) == (303, "/help")
    assert language_of(visitor, "en-US") == "de-DE"
    assert language_of(visitor, "en,de-AT;q=0.1") == "de-AT"
    visitor.post("/settings/language", data={"language": "en"})
    assert language_of(visitor, "de") == "en-GB"


def test_the_appearance_is_set_before_anything_is_drawn(visitor: FlaskClient) -> None:
    assert "data-theme" not in visitor.get("/help").text
    visitor.post("/settings/theme", data={"theme": "dark"})
    assert '<html lang="en-GB" data-theme="dark">' in visitor.get("/help").text
    visitor.post("/settings/theme", data={"theme": "auto"})
    assert "data-theme" not in visitor.get("/help").text


@pytest.mark.parametrize(
    ("path", "field"), [("language", "language"), ("theme", "theme")]
)
def test_nonsense_is_not_kept(visitor: FlaskClient, path: str, field: str) -> None:
    answer = visitor.post(f"/settings/{path}", data={field: "xx"})
    assert answer.status_code == 303
    assert "Set-Cookie" not in answer.headers
    visitor.set_cookie(f"abtest_{path}", "xx")
    assert visitor.get("/help").status_code == 200


def test_static_files_are_kept_for_as_long_as_their_content_lasts(
    visitor: FlaskClient,
) -> None:
    page = visitor.get("/help").text
    address = page.partition('stylesheet" href="')[2].partition('"')[0]
    assert address.startswith("/assets/pico.min.css?v=")
    with visitor.get(address) as answer:
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.content_type.startswith("text/css")
    with visitor.get("/assets/pico.min.css") as answer:
        assert answer.headers["Cache-Control"] == "no-cache"


def test_pages_are_never_kept(visitor: FlaskClient) -> None:
    answer = visitor.get("/help")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_help_explains_words_in_german(visitor: FlaskClient) -> None:
    page = visitor.get("/help", headers={"Accept-Language": "de"}).text
    assert '<div id="maturity"><dt>Reife</dt>' in page


def test_a_page_that_is_not_there_says_so_in_the_readers_language(
    visitor: FlaskClient,
) -> None:
    answer = visitor.get("/no/such/page", headers={"Accept-Language": "de"})
    assert answer.status_code == 404
    assert "Hier ist nichts" in answer.text
    assert answer.content_type.startswith("text/html")
