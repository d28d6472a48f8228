"""Kinds of values that options of several commands take."""

from datetime import date
from decimal import Decimal

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


class Pair(click.ParamType[tuple[float, float]]):
    """Two numbers with a comma between them, written as 1,3."""

    def __init__(self, first: str, second: str) -> None:
        self.name = f"{first},{second}"
        self._what = f"{first.lower()} and {second.lower()}"

    def convert(
        self,
        value: str | tuple[float, float],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[float, float]:
        """Read the pair."""
        if isinstance(value, tuple):
            return value
        try:
            first, second = (float(part) for part in value.split(","))
        except ValueError:
            self.fail(f"{value} is no pair; write {self._what} as 1,3", param, ctx)
        return first, second


class Numbers(click.ParamType[tuple[float, ...]]):
    """Some numbers with commas between them, written as 2,1,1."""

    name = "NUMBER,..."

    def convert(
        self,
        value: str | tuple[float, ...],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[float, ...]:
        """Read the numbers."""
        if isinstance(value, tuple):
            return value
        try:
            return tuple(float(part) for part in value.split(","))
        except ValueError:
            self.fail(f"{value} is no list of numbers; write them as 2,1,1", param, ctx)


class Share(click.ParamType[float]):
    """A share, written as 0.05 or 5%."""

    name = "SHARE"

    def convert(
        self,
        value: str | float,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> float:
        """Read the share."""
        text = str(value)
        try:
            if text.endswith("%"):
                return float(Decimal(text.removesuffix("%").strip()) / 100)
            return float(text)
        except (ArithmeticError, ValueError):
            self.fail(f"{value} is no share; write it as 0.05 or 5%", param, ctx)
