"""What can no longer change the outcome of a person who did very much; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from abtest.domain.events import Conversion, Milliseconds
from abtest.domain.experiment import VariantKey
from abtest.domain.funnel import LaterStep, Repeat, StepKey
from abtest.domain.visitor import History, OutcomePlan, distinct_orders

_HOUR = 3_600_000

Quiet = tuple[Milliseconds, Milliseconds | None]
"""A span of time without its ends; None is never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Of one experiment, what further events leave the outcomes as they are.

    Attributes:
        exposed_at: the person's first exposure.
        variants: all that the person saw.
        quiet: when another conversion at a step changes nothing; steps that are not
            in it never do.
    """

    exposed_at: Milliseconds
    variants: tuple[VariantKey, ...]
    quiet: tuple[tuple[StepKey, Quiet | None], ...]

    def outlasts(self, conversion: Conversion) -> bool:
        """Whether the conversion changes nothing.

        It must have an order of its own or none: orders that were told before are
        the caller's concern.
        """
        if conversion.at < self.exposed_at:
            return True
        for step, span in self.quiet:
            if step == conversion.step:
                return (
                    span is not None
                    and span[0] < conversion.at
                    and (span[1] is None or conversion.at < span[1])
                )
        return True


def settle(history: History, plan: OutcomePlan) -> Settled:
    """Say what can no longer change the outcomes of `resolve`.

    Args:
        history: of somebody who was exposed.
    """
    exposed_at = min(e.at for e in history.exposures)
    conversions = [
        c for c in distinct_orders(history.conversions) if c.at >= exposed_at
    ]
    reached: dict[StepKey, Milliseconds] = {}
    for conversion in conversions:
        reached.setdefault(conversion.step, conversion.at)
    second = plan.goal.second
    later = second.step if isinstance(second, LaterStep) else plan.goal.first
    quiet: dict[StepKey, Quiet | None] = {
        step: (reached[step], None) if step in reached else None
        for step in (*plan.steps, plan.goal.first, later)
    }
    if plan.goal.first in reached:
        match second:
            case Repeat():
                at_first = [c.at for c in conversions if c.step == plan.goal.first]
                quiet[later] = _between_repeats(at_first, second)
            case LaterStep():
                first = reached[plan.goal.first]
                quiet[later] = _around_first(
                    first, [c.at for c in conversions if c.step == later]
                )
            case _ as unknown:
                assert_never(unknown)
    return Settled(
        exposed_at=exposed_at,
        variants=tuple(sorted({e.variant for e in history.exposures})),
        quiet=tuple(quiet.items()),
    )


def _between_repeats(times: Sequence[Milliseconds], repeat: Repeat) -> Quiet:
    """Return the time until the next one counts; after the second none does."""
    counted = [times[0]]
    for at in times[1:]:
        if len(counted) < repeat.ordinal and at - counted[-1] >= (
            repeat.min_gap_hours * _HOUR
        ):
            counted.append(at)
    if len(counted) == repeat.ordinal:
        return counted[-1], None
    # Rounded down to a whole millisecond, the last of the gap is judged anew.
    return counted[-1], Milliseconds(int(counted[-1] + repeat.min_gap_hours * _HOUR))


def _around_first(first: Milliseconds, times: Sequence[Milliseconds]) -> Quiet | None:
    """Return the time after the second; before there is one, that before the first."""
    after = [at for at in times if at >= first]
    if after:
        return after[0], None
    return (times[0], first) if times else None
