"""`abtest key`: the keys of programs."""

import click

from abtest.cli.console import json_option, now, open_database, show
from abtest.domain.access import ApiKey, KeyId, KeyKind
from abtest.services.access import COMMAND_LINE, create_key, revoke_key, rotate_key
from abtest.web.api.views import key_view, new_key_view


@click.group()
def key() -> None:
    """Create, list, rotate and revoke the keys of programs."""


@key.command("create")
@click.option(
    "--kind",
    required=True,
    type=click.Choice([kind.value for kind in KeyKind]),
    help="pk browsers, sk servers, rk reading reports, ak everything else.",
)
@click.option("--name", default="", help="What it is for.")
@click.option(
    "--origin",
    "origins",
    multiple=True,
    metavar="https://www.example.com",
    help="Where a pk may be used from; repeat for more. Without it: everywhere.",
)
@json_option
def create(kind: str, name: str, origins: tuple[str, ...]) -> None:
    """Create a key and print it; it is stored hashed and never shown again."""
    with open_database() as store:
        new = create_key(
            store,
            KeyKind(kind),
            name=name,
            origins=origins,
            caller=COMMAND_LINE,
            now=now(),
        )
    show(new_key_view(new), new.secret)


@key.command("list")
@json_option
def list_() -> None:
    """List all keys, without their secrets."""
    with open_database() as store:
        keys = store.list_keys()
    show([key_view(k) for k in keys], *map(_line, keys))


@key.command("rotate")
@click.argument("key_id", metavar="ID")
@json_option
def rotate(key_id: str) -> None:
    """Make a key like this one, print it, and make the old one useless."""
    with open_database() as store:
        new = rotate_key(store, KeyId(key_id), caller=COMMAND_LINE, now=now())
    show(new_key_view(new), new.secret)


@key.command("revoke")
@click.argument("key_id", metavar="ID")
@json_option
def revoke(key_id: str) -> None:
    """Make a key useless from now on."""
    with open_database() as store:
        revoke_key(store, KeyId(key_id), caller=COMMAND_LINE, now=now())
    show({"id": key_id, "revoked": True}, f"{key_id} is revoked.")


def _line(k: ApiKey) -> str:
    made = f"{k.id}  {k.kind}  …{k.hint}  {k.created_at:%Y-%m-%d}  {k.name}"
    revoked = "" if k.revoked_at is None else f"revoked {k.revoked_at:%Y-%m-%d}"
    return "  ".join(part for part in (made, *k.origins, revoked) if part)
