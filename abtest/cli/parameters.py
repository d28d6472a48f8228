"""Kinds of values that options of several commands take."""

from datetime import date

import click


class Day(click.ParamType[date]):
    """A calendar day, written as 2026-03-31."""

    name = "YYYY-MM-DD"

    def convert(
        self,
        value: str | date,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> date:
        """Read the day."""
        try:
            return value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value} is no day; write it as 2026-03-31", param, ctx)
