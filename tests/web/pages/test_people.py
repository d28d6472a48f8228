"""People are added, changed and removed; everybody changes the own password."""

import pytest
from flask.testing import FlaskClient

from abtest.domain.access import Role
from abtest.store.protocol import Store
from tests.web.pages.conftest import NAME, PASSWORD
from tests.web.pages.reading import problems, text_of


def test_somebody_is_added_and_signs_in_with_the_password_shown(
    reader: FlaskClient, store: Store
) -> None:
    page = reader.post("/settings/users", data={"name": "bert", "role": "editor"}).text
    password = text_of(page, "new-password")
    assert [(u.name, u.role.value) for u in store.list_users()][1:] == [
        ("bert", "editor")
    ]
    assert password not in reader.get("/settings/users").text
    reader.post("/logout")
    answer = reader.post("/login", data={"name": "bert", "password": password})
    assert answer.location == "/"


@pytest.mark.parametrize(
    ("form", "status", "field"),
    [
        ({"name": "be rt", "role": "viewer"}, 400, "name"),
        ({"name": "", "role": "viewer"}, 400, "name"),
        ({"name": "bert", "role": "king"}, 400, "role"),
        ({"name": NAME, "role": "viewer"}, 409, "name"),
    ],
)
def test_an_unfit_person_is_pointed_at(
    reader: FlaskClient, store: Store, form: dict[str, str], status: int, field: str
) -> None:
    answer = reader.post("/settings/users", data=form)
    assert answer.status_code == status
    assert list(problems(answer.text)) == [field]
    assert f'value="{form["name"]}"' in answer.text
    assert len(store.list_users()) == 1


def test_roles_passwords_and_removal(reader: FlaskClient, store: Store) -> None:
    page = reader.post("/settings/users", data={"name": "b@x.de", "role": "viewer"})
    first = text_of(page.text, "new-password")
    answer = reader.post("/settings/users/b@x.de/role", data={"role": "admin"})
    assert answer.location == "/settings/users?done=role"
    assert store.list_users()[1].role is Role.ADMIN
    page = reader.post("/settings/users/b@x.de/password")
    assert text_of(page.text, "new-password") != first
    answer = reader.post("/settings/users/b@x.de/remove")
    assert "was removed" in reader.get(answer.location).text
    assert [u.name for u in store.list_users()] == [NAME]
    assert reader.post("/settings/users/b@x.de/remove").status_code == 404


@pytest.mark.parametrize("way", ["role", "remove"])
def test_the_last_admin_stays(reader: FlaskClient, store: Store, way: str) -> None:
    answer = reader.post(f"/settings/users/{NAME}/{way}", data={"role": "viewer"})
    assert answer.status_code == 409
    assert "This is the last admin." in answer.text
    assert store.list_users()[0].role is Role.ADMIN


def test_ones_own_password_is_changed(reader: FlaskClient) -> None:
    wanted = "battery staple horse"
    form = {"present": PASSWORD, "wanted": wanted, "again": wanted}
    answer = reader.post("/settings/account", data=form)
    assert (answer.status_code, answer.location) == (
        303,
        "/settings/account?done=password",
    )
    assert "Your password was changed." in reader.get(answer.location).text
    reader.post("/logout")
    assert (
        reader.post("/login", data={"name": NAME, "password": PASSWORD}).status_code
        == 401
    )
    assert (
        reader.post("/login", data={"name": NAME, "password": wanted}).status_code
        == 303
    )


@pytest.mark.parametrize(
    ("present", "wanted", "again", "field"),
    [
        ("wrong", "battery staple", "battery staple", "present"),
        (PASSWORD, "short", "short", "wanted"),
        (PASSWORD, "battery staple", "battery stapel", "again"),
    ],
)
def test_a_refused_password_is_pointed_at_and_never_repeated(
    reader: FlaskClient, present: str, wanted: str, again: str, field: str
) -> None:
    form = {"present": present, "wanted": wanted, "again": again}
    answer = reader.post("/settings/account", data=form)
    assert answer.status_code == 400
    assert list(problems(answer.text)) == [field]
    assert all(value not in answer.text for value in form.values() if value != "wrong")


def test_guessing_the_present_password_has_to_wait(reader: FlaskClient) -> None:
    form = {"present": "guess", "wanted": "battery staple", "again": "battery staple"}
    statuses = [
        reader.post("/settings/account", data=form).status_code for _ in range(6)
    ]
    assert statuses == [400] * 5 + [429]
    answer = reader.post("/settings/account", data=form)
    assert "Too many attempts. Please try again in 1 minute." in answer.text
