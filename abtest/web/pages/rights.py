"""What the person who is signed in may do beside looking."""

from flask import g

from abtest.domain.access import Right, Role, User
from abtest.errors import AbtestError, ErrorCode
from abtest.services.access import caller_of_user


def current_user() -> User:
    """Return who is signed in; the guard lets nobody else come here."""
    user = g.user
    assert isinstance(user, User)  # noqa: S101 - tells the type checker
    return user


def is_admin() -> bool:
    """Tell whether keys, people and persons' data may be changed."""
    return current_user().role is Role.ADMIN


def may_change() -> bool:
    """Tell whether experiments may be changed."""
    return Right.MANAGE in caller_of_user(current_user()).rights


def require_admin() -> None:
    """Raise `not_allowed` unless an admin asks."""
    if not is_admin():
        raise AbtestError(
            ErrorCode.NOT_ALLOWED, "only people with the role admin may do this"
        )
