"""The command line: a table of commands, each loaded when it is asked for."""

import os
from dataclasses import dataclass
from importlib import import_module

import click

from abtest import __version__
from abtest.cli.console import report_error
from abtest.errors import AbtestError


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One command or group of commands, and where it is written.

    Attributes:
        place: module in this package, and the name in it.
    """

    name: str
    place: str
    help: str


ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="serve",
        place="serve:serve",
        help="Run the service; migrations are applied first.",
    ),
    Entry(
        name="demo",
        place="demo:demo",
        help="Make a database with experiments in several states and traffic.",
    ),
    Entry(
        name="experiment",
        place="experiments:experiment",
        help="Create, list, show, start, pause, resume, close, stop, decide, archive.",
    ),
    Entry(
        name="import",
        place="imports:import_",
        help="Load exposures and conversions from a file.",
    ),
    Entry(
        name="report",
        place="report:report",
        help="Print the report of an experiment.",
    ),
    Entry(
        name="plan",
        place="plan:plan",
        help="Say how many visitors an experiment needs, and how many days.",
    ),
    Entry(
        name="simulate",
        place="simulate:simulate",
        help="Repeat experiments with a known truth and count how often we are right.",
    ),
    Entry(
        name="adapt",
        place="adapt:adapt",
        help="Let the shares of an experiment follow its results, if it allows that.",
    ),
    Entry(
        name="key",
        place="keys:key",
        help="Create, list, rotate and revoke the keys of programs.",
    ),
    Entry(
        name="user",
        place="users:user",
        help="Add and list the people who may look at the pages; reset a password.",
    ),
    Entry(
        name="migrate",
        place="database:migrate",
        help="Bring the database to the schema of this version.",
    ),
    Entry(
        name="backup",
        place="backup:backup",
        help="Copy the database while the service runs, and check the copy.",
    ),
    Entry(
        name="restore",
        place="backup:restore",
        help="Put a backup in the place of the database.",
    ),
    Entry(
        name="export",
        place="privacy:export",
        help="Write what is stored about a person, or the events of an experiment.",
    ),
    Entry(
        name="erase",
        place="privacy:erase",
        help="Erase a person: names, events, and the part in every sum.",
    ),
    Entry(
        name="gc",
        place="privacy:gc",
        help="Delete old events and keep what they add up to.",
    ),
    Entry(
        name="doctor",
        place="doctor:doctor",
        help="Check configuration, files and database, and say what to do.",
    ),
    Entry(
        name="rebuild",
        place="database:rebuild",
        help="Recompute what is derived from the raw events.",
    ),
    Entry(
        name="verify",
        place="database:verify",
        help="Check that what is derived agrees with the raw events.",
    ),
)
"""Every command, in the order of `abtest --help`."""


class Commands(click.Group):
    """Loads a command when it is called, so that help and keys stay quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        del ctx
        return [entry.name for entry in ENTRIES]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load the command."""
        del ctx
        for entry in ENTRIES:
            if entry.name == cmd_name:
                module, _, name = entry.place.partition(":")
                found = getattr(import_module(f"abtest.cli.{module}"), name)
                assert isinstance(found, click.Command)  # noqa: S101 - for mypy
                return found
        return None

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """Write the table without loading anything."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(entry.name, entry.help) for entry in ENTRIES])

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; what a caller can mend is one line and exit code 1."""
        # A database made here is for the eyes of its owner alone.
        before = os.umask(0o077)
        try:
            result: object = super().invoke(ctx)
        except AbtestError as error:
            report_error(error)
            ctx.exit(1)
        finally:
            os.umask(before)
        return result


@click.group(
    cls=Commands,
    epilog="Settings come from ABTEST_* variables or the TOML file that ABTEST_CONFIG"
    " names; `abtest doctor` lists them.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="abtest")
def main() -> None:
    """A/B tests that weigh first and second conversions."""
