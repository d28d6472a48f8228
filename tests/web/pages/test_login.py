"""Signing in, signing out, and the first user."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from abtest.services.access import make_setup_token
from abtest.store.protocol import Store
from tests.conftest import Clock
from tests.web.pages.conftest import NAME, PASSWORD


def sign_in(visitor: FlaskClient, password: str = PASSWORD, target: str = "/") -> int:
    answer = visitor.post(
        "/login", data={"name": NAME, "password": password, "next": target}
    )
    return answer.status_code


@pytest.mark.usefixtures("anna")
def test_the_cookie_is_kept_from_scripts_and_other_sites(visitor: FlaskClient) -> None:
    answer = visitor.post("/login", data={"name": NAME, "password": PASSWORD})
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie
    assert visitor.get("/").status_code == 200


@pytest.mark.usefixtures("anna")
def test_over_https_the_cookie_never_leaves_it(visitor: FlaskClient) -> None:
    answer = visitor.post(
        "/login",
        base_url="https://localhost",
        data={"name": NAME, "password": PASSWORD},
    )
    assert "Secure" in answer.headers["Set-Cookie"]


@pytest.mark.usefixtures("anna")
def test_after_the_login_comes_the_page_that_was_asked_for(
    visitor: FlaskClient,
) -> None:
    form = visitor.get("/login?next=/experiments/home").text
    assert 'name="next" value="/experiments/home"' in form
    answer = visitor.post(
        "/login",
        data={"name": NAME, "password": PASSWORD, "next": "/experiments/home"},
    )
    assert answer.location == "/experiments/home"
    evil = visitor.post(
        "/login",
        data={"name": NAME, "password": PASSWORD, "next": "//evil.example"},
    )
    assert evil.location == "/"


@pytest.mark.usefixtures("anna")
@pytest.mark.parametrize("name", [NAME, "nobody", '"><script>'])
def test_a_wrong_password_and_an_unknown_name_are_told_the_same(
    visitor: FlaskClient, name: str
) -> None:
    answer = visitor.post("/login", data={"name": name, "password": "wrong"})
    assert answer.status_code == 401
    assert "This name and password do not belong together." in answer.text
    assert "<script>" not in answer.text
    assert "Set-Cookie" not in answer.headers


def test_signing_out_ends_the_session(reader: FlaskClient) -> None:
    token = reader.get_cookie("abtest_session")
    assert token is not None
    assert reader.post("/logout").location == "/login"
    assert reader.get("/").status_code == 303
    reader.set_cookie("abtest_session", token.value)
    assert reader.get("/").status_code == 303


def test_signing_out_twice_does_no_harm(visitor: FlaskClient) -> None:
    assert visitor.post("/logout").status_code == 303


def test_a_session_that_is_used_ends_after_seven_days(
    reader: FlaskClient, clock: Clock
) -> None:
    for _ in range(23):
        clock.time += timedelta(hours=7)
        assert reader.get("/help").status_code == 200
    clock.time += timedelta(hours=6, minutes=59)
    assert reader.get("/").status_code == 200
    clock.time += timedelta(minutes=2)
    assert reader.get("/").status_code == 303


def test_a_session_ends_after_eight_hours_without_use(
    reader: FlaskClient, clock: Clock
) -> None:
    clock.time += timedelta(hours=7, minutes=59)
    assert reader.get("/").status_code == 200
    clock.time += timedelta(hours=8, minutes=1)
    assert reader.get("/").status_code == 303


def test_without_users_the_login_says_how_to_make_one(visitor: FlaskClient) -> None:
    assert "abtest user add" in visitor.get("/login").text


def test_the_set_up_link_makes_the_first_user_and_signs_in(
    visitor: FlaskClient, store: Store
) -> None:
    token = make_setup_token(store)
    path = f"/setup/{token}"
    assert "Welcome to abtest" in visitor.get(path).text
    answer = visitor.post(path, data={"name": NAME, "password": PASSWORD})
    assert answer.location == "/"
    assert visitor.get("/").status_code == 200
    assert [user.name for user in store.list_users()] == [NAME]
    again = visitor.post(path, data={"name": "eve", "password": PASSWORD})
    assert again.status_code == 404
    assert "This link no longer works" in again.text


@pytest.mark.parametrize(
    ("name", "password", "field"),
    [("anna", "short", "password"), ("an na", PASSWORD, "name")],
)
def test_an_unfit_name_or_password_is_pointed_at(
    visitor: FlaskClient, store: Store, name: str, password: str, field: str
) -> None:
    path = f"/setup/{make_setup_token(store)}"
    answer = visitor.post(path, data={"name": name, "password": password})
    assert answer.status_code == 400
    wrong = [line for line in answer.text.splitlines() if "aria-invalid" in line]
    assert len(wrong) == 1
    assert f'id="{field}"' in wrong[0]
    assert f'value="{name}"' in answer.text
    assert visitor.get(path).status_code == 200


def test_a_made_up_set_up_link_leads_nowhere(visitor: FlaskClient) -> None:
    assert visitor.get("/setup/guess").status_code == 404
