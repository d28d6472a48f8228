"""Everything the pages of people and of one's own account show."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from abtest.domain.access import Role, User
from abtest.services.access import MIN_PASSWORD
from abtest.web.render.reader import Reader
from abtest.web.render.translate import mark

_ROLES: Mapping[Role, tuple[str, str]] = {
    Role.VIEWER: (mark("Viewer"), mark("looks at everything and changes nothing")),
    Role.EDITOR: (mark("Editor"), mark("sets up, starts and decides experiments")),
    Role.ADMIN: (
        mark("Admin"),
        mark("does everything: keys, people and persons' data too"),
    ),
}
_ERRORS: Mapping[str, str] = {
    "name": mark("Please write the name with letters, digits and . _ - @ alone."),
    "role": mark("Please choose a role."),
    "taken": mark("Somebody has this name already. Please choose another one."),
    "present": mark("This is not your present password."),
    "again": mark("The two new passwords differ."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was entered; `errors` are fields that are wrong."""

    name: str = ""
    role: str = Role.VIEWER.value
    errors: tuple[str, ...] = ()

    def having(self, errors: Iterable[str]) -> "Asked":
        """Return the same with errors."""
        return replace(self, errors=tuple(errors))


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPassword:
    """A password just made for somebody, shown this once."""

    name: str
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A role that can be chosen."""

    value: str
    name: str
    help: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRow:
    """Somebody in the list."""

    name: str
    role: str
    role_name: str
    since: str
    is_me: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UsersView:
    """The page; `errors` are sentences by field."""

    people: tuple[PersonRow, ...]
    roles: tuple[Choice, ...]
    asked: Asked
    errors: Mapping[str, str]


def view_users(
    reader: Reader, users: Sequence[User], *, me: str, asked: Asked
) -> UsersView:
    """Write the list of people, and the form."""
    return UsersView(
        people=tuple(
            PersonRow(
                name=user.name,
                role=user.role.value,
                role_name=role_name(reader, user.role),
                since=reader.format.day(user.created_at.date()),
                is_me=user.name == me,
            )
            for user in users
        ),
        roles=tuple(
            Choice(
                value=role.value,
                name=reader.gettext(name),
                help=reader.gettext(can),
            )
            for role, (name, can) in _ROLES.items()
        ),
        asked=asked,
        errors={
            "name" if field == "taken" else field: reader.gettext(_ERRORS[field])
            for field in asked.errors
        },
    )


def role_name(reader: Reader, role: Role) -> str:
    """Return what a role is called."""
    return reader.gettext(_ROLES[role][0])


def account_errors(reader: Reader, wrong: Collection[str]) -> Mapping[str, str]:
    """Say what is wrong with a change of password, by field."""
    shortest = reader.format.integer(MIN_PASSWORD)
    unfit = reader.gettext("Please use at least {n} characters.", n=shortest)
    return {
        field: unfit if field == "wanted" else reader.gettext(_ERRORS[field])
        for field in wrong
    }
