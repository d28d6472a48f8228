"""People come, change what they may do and how they sign in, and go."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from abtest.domain.access import Role, User, UserName
from abtest.errors import AbtestError, ErrorCode
from abtest.services.access import COMMAND_LINE, add_user, find_signed_in, sign_in
from abtest.services.people import (
    change_password,
    change_role,
    invite,
    remove_user,
    reset_password,
)
from abtest.store.protocol import Store

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"


@pytest.fixture
def anna(store: Store) -> User:
    return add_user(
        store,
        "anna",
        password=PASSWORD,
        role=Role.ADMIN,
        caller=COMMAND_LINE,
        now=NOW,
    )


def may_sign_in(store: Store, name: str, password: str) -> bool:
    try:
        return bool(sign_in(store, name, password=password, now=NOW))
    except AbtestError:
        return False


def actions(store: Store) -> list[tuple[str, str, str]]:
    return [(e.action, e.subject, e.detail) for e in store.list_audit(limit=3)]


@pytest.mark.usefixtures("anna")
def test_who_is_invited_signs_in_with_the_password_made_for_them(store: Store) -> None:
    password = invite(store, "bert", role=Role.EDITOR, caller=COMMAND_LINE, now=NOW)
    assert may_sign_in(store, "bert", password)
    assert not may_sign_in(store, "anna", password)
    with pytest.raises(AbtestError) as error:
        invite(store, "bert", role=Role.EDITOR, caller=COMMAND_LINE, now=NOW)
    assert error.value.code is ErrorCode.CONFLICT


@pytest.mark.usefixtures("anna")
def test_a_reset_password_replaces_the_old_one(store: Store) -> None:
    password = reset_password(store, "anna", caller=COMMAND_LINE, now=NOW)
    assert may_sign_in(store, "anna", password)
    assert not may_sign_in(store, "anna", PASSWORD)


def test_who_changes_the_own_password_stays_signed_in_alone(
    store: Store, anna: User
) -> None:
    other = sign_in(store, "anna", password=PASSWORD, now=NOW)
    wanted = "battery staple horse"
    own = change_password(store, anna, present=PASSWORD, wanted=wanted, now=NOW)
    assert find_signed_in(store, own, NOW) is not None
    assert find_signed_in(store, other, NOW) is None
    assert may_sign_in(store, "anna", wanted)
    assert not may_sign_in(store, "anna", PASSWORD)


@pytest.mark.parametrize(
    ("present", "wanted", "code"),
    [
        ("wrong", "battery staple horse", ErrorCode.UNAUTHENTICATED),
        (PASSWORD, "short", ErrorCode.INVALID),
    ],
)
def test_a_refused_change_leaves_everything(
    store: Store, anna: User, present: str, wanted: str, code: ErrorCode
) -> None:
    other = sign_in(store, "anna", password=PASSWORD, now=NOW)
    with pytest.raises(AbtestError) as error:
        change_password(store, anna, present=present, wanted=wanted, now=NOW)
    assert error.value.code is code
    assert find_signed_in(store, other, NOW) is not None
    assert may_sign_in(store, "anna", PASSWORD)


@pytest.mark.usefixtures("anna")
def test_roles_and_leaving_are_in_the_audit_log(store: Store) -> None:
    invite(store, "bert", role=Role.VIEWER, caller=COMMAND_LINE, now=NOW)
    change_role(store, "bert", Role.ADMIN, caller=COMMAND_LINE, now=NOW)
    bert = store.find_user(UserName("bert"))
    assert bert is not None
    assert bert.role is Role.ADMIN
    remove_user(store, "bert", caller=COMMAND_LINE, now=NOW)
    assert actions(store) == [
        ("user.remove", "bert", ""),
        ("user.role", "bert", "admin"),
        ("user.add", "bert", "viewer"),
    ]


@pytest.mark.usefixtures("anna")
def test_the_last_admin_stays_and_nothing_is_noted(store: Store) -> None:
    before = store.list_audit(limit=9)
    changes: tuple[Callable[[], None], ...] = (
        lambda: change_role(store, "anna", Role.VIEWER, caller=COMMAND_LINE, now=NOW),
        lambda: remove_user(store, "anna", caller=COMMAND_LINE, now=NOW),
    )
    for change in changes:
        with pytest.raises(AbtestError) as error:
            change()
        assert error.value.code is ErrorCode.CONFLICT
    assert store.list_audit(limit=9) == before
