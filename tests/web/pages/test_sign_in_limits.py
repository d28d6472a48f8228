"""Sessions cannot be planted or kept, and passwords cannot be tried at will."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.conftest import Clock
from tests.web.pages.conftest import NAME, PASSWORD

COOKIE = "abtest_session"


def sign_in(
    visitor: FlaskClient,
    password: str,
    name: str = NAME,
    address: str = "203.0.113.5",
    language: str = "en-GB",
) -> TestResponse:
    return visitor.post(
        "/login",
        data={"name": name, "password": password},
        headers={"Accept-Language": language},
        environ_overrides={"REMOTE_ADDR": address},
    )


@pytest.mark.usefixtures("anna")
def test_a_planted_cookie_does_not_survive_the_login(visitor: FlaskClient) -> None:
    visitor.set_cookie(COOKIE, "planted")
    assert sign_in(visitor, PASSWORD).status_code == 303
    cookie = visitor.get_cookie(COOKIE)
    assert cookie is not None
    assert cookie.value != "planted"
    visitor.set_cookie(COOKIE, "planted")
    assert visitor.get("/").status_code == 303


def test_the_session_before_a_new_login_ends(reader: FlaskClient) -> None:
    before = reader.get_cookie(COOKIE)
    assert before is not None
    assert sign_in(reader, PASSWORD).status_code == 303
    assert reader.get("/help").status_code == 200
    reader.set_cookie(COOKIE, before.value)
    assert reader.get("/").status_code == 303


@pytest.mark.usefixtures("anna")
@pytest.mark.parametrize("name", [NAME, "nobody", f" {NAME.upper()} "])
def test_the_sixth_try_has_to_wait(
    visitor: FlaskClient, clock: Clock, name: str
) -> None:
    for number in range(5):
        answer = sign_in(visitor, "wrong", name, address=f"203.0.{number}.5")
        assert answer.status_code == 401
    # The right password, from anywhere, is not looked at either.
    for password in ("wrong", PASSWORD):
        refused = sign_in(visitor, password, name, address="198.51.100.1")
        assert refused.status_code == 429
        assert refused.headers["Retry-After"] == "60"
        assert "Please try again in 1 minute." in refused.text
        assert "Set-Cookie" not in refused.headers
    german = sign_in(visitor, "wrong", name, language="de")
    assert "Bitte versuchen Sie es in 1 Minute noch einmal." in german.text
    clock.time += timedelta(seconds=61)
    expected = 303 if name == NAME else 401
    assert sign_in(visitor, PASSWORD, name).status_code == expected


@pytest.mark.usefixtures("anna")
def test_success_clears_the_account(visitor: FlaskClient) -> None:
    for _ in range(3):
        assert [sign_in(visitor, "no").status_code for _ in range(4)] == [401] * 4
        assert sign_in(visitor, PASSWORD, address="127.0.0.1").status_code == 303
