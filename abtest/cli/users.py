"""`abtest user`: the people who may look at the pages."""

import secrets
import sys

import click

from abtest.cli.console import json_option, now, open_database, show
from abtest.domain.access import Role
from abtest.services.access import COMMAND_LINE, add_user, set_password


@click.group()
def user() -> None:
    """Add and list the people who may look at the pages; reset a password."""


@user.command("add")
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    default=Role.VIEWER.value,
    show_default=True,
    help="viewer looks, editor runs experiments, admin does everything.",
)
@click.option(
    "--password-stdin",
    is_flag=True,
    help="Read the password from standard input; else one is made and printed.",
)
@json_option
def add(name: str, role: str, password_stdin: bool) -> None:  # noqa: FBT001 - a flag
    """Add a person."""
    password = _password(password_stdin=password_stdin)
    with open_database() as store:
        added = add_user(
            store,
            name,
            password=password,
            role=Role(role),
            caller=COMMAND_LINE,
            now=now(),
        )
    result = {"name": added.name, "role": added.role.value}
    if password_stdin:
        show(result, f"{name} was added as {role}.")
    else:
        show(
            {**result, "password": password},
            f"{name} was added as {role}. Password: {password}",
        )


@user.command("passwd")
@click.argument("name")
@click.option(
    "--password-stdin",
    is_flag=True,
    help="Read the password from standard input; else one is made and printed.",
)
@json_option
def passwd(name: str, *, password_stdin: bool) -> None:
    """Give a person another password; they are signed out everywhere."""
    password = _password(password_stdin=password_stdin)
    with open_database() as store:
        set_password(store, name, password=password, caller=COMMAND_LINE, now=now())
    if password_stdin:
        show({"name": name}, f"{name} has a new password.")
    else:
        show(
            {"name": name, "password": password},
            f"{name} has a new password: {password}",
        )


@user.command("list")
@json_option
def list_() -> None:
    """List the people and their roles."""
    with open_database() as store:
        users = store.list_users()
    show(
        [
            {"name": u.name, "role": u.role.value, "created_at": u.created_at}
            for u in users
        ],
        *(f"{u.name}  {u.role}  {u.created_at:%Y-%m-%d}" for u in users),
    )


def _password(*, password_stdin: bool) -> str:
    if password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return secrets.token_urlsafe(15)
