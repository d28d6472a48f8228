"""`abtest user`: the people who may look at the pages."""

import secrets
import sys

import click

from abtest.cli.console import json_option, now, open_database, show
from abtest.domain.access import Role
from abtest.services.access import COMMAND_LINE, add_user


@click.group()
def user() -> None:
    """Add and list the people who may look at the pages."""


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
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = secrets.token_urlsafe(15)
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
