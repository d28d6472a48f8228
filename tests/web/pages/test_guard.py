"""Who gets in, and which forms are refused."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from abtest.web.pages.guard import OPEN, local_path

pytestmark = pytest.mark.usefixtures("anna")


@pytest.mark.parametrize(
    "path", ["/", "/experiments/home", "/experiments/x/report.json"]
)
def test_strangers_are_sent_to_the_login(visitor: FlaskClient, path: str) -> None:
    answer = visitor.get(path)
    assert answer.status_code == 303
    assert answer.location == f"/login?next={path}"


def test_the_way_back_keeps_the_query(visitor: FlaskClient) -> None:
    answer = visitor.get("/experiments/home?second_weight=2")
    assert answer.location == "/login?next=/experiments/home?second_weight%3D2"


def test_every_page_but_the_listed_ones_needs_a_session(
    visitor: FlaskClient, flask_app: Flask
) -> None:
    closed = [
        rule
        for rule in flask_app.url_map.iter_rules()
        if rule.endpoint.startswith("pages.") and rule.endpoint not in OPEN
    ]
    assert len(closed) >= 4
    for rule in closed:
        path = rule.rule.replace("<key>", "home")
        method = "GET" if "GET" in (rule.methods or ()) else "POST"
        assert visitor.open(path, method=method).status_code == 303, path


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "none"}, 303),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"}, 403),
        ({"Origin": "http://localhost"}, 303),
        ({"Origin": "http://localhost:8001"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
    ],
)
def test_forms_of_other_sites_are_refused(
    flask_app: Flask, headers: dict[str, str], expected: int
) -> None:
    answer = flask_app.test_client().post(
        "/settings/theme", data={"theme": "dark"}, headers=headers
    )
    assert answer.status_code == expected
    assert ("Set-Cookie" in answer.headers) is (expected == 303)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/experiments/home?x=1", "/experiments/home?x=1"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example/", "/"),
        ("/a\r\nSet-Cookie: x=1", "/"),
        ("", "/"),
    ],
)
def test_nobody_is_sent_to_another_site(path: str, expected: str) -> None:
    assert local_path(path) == expected
