"""How far a person has come in an experiment: enough to judge what comes next; pure."""

from typing import NamedTuple

from abtest.domain.events import Conversion, Milliseconds
from abtest.domain.experiment import VariantKey
from abtest.domain.funnel import Repeat, StepKey
from abtest.domain.visitor import (
    HOUR,
    History,
    OutcomePlan,
    counted_in,
    credited_in,
    needed,
)


class Journey(NamedTuple):
    """What must be known of somebody to judge later conversions without earlier ones.

    Attributes:
        reached: when each step of the experiment was reached first, sorted by step.
        counted: conversions on the way to the second one: up to 3 where that is the
            third purchase, otherwise up to 2.
        last_at: when the last of these happened.
        variants: all that the person saw, sorted, if there are several.
    """

    reached: tuple[tuple[StepKey, Milliseconds], ...] = ()
    counted: int = 0
    last_at: Milliseconds | None = None
    variants: tuple[VariantKey, ...] = ()

    def leads_to(self, conversion: Conversion, plan: OutcomePlan) -> bool:
        """Whether the conversion comes late enough for `after` to say what it means.

        It must be of one of the experiment's steps, not lie before the exposure, and
        have an order that was not told before, or none.
        """
        first, later = plan.goal.first, plan.goal.second.step
        reached_at = self.reached_at(conversion.step)
        if reached_at is not None and conversion.at <= reached_at:
            return False
        if conversion.step == later:
            return self.last_at is None or conversion.at > self.last_at
        # After what came before the first conversion, that may be the second one.
        return (
            conversion.step != first
            or self.counted > 0
            or self.reached_at(later) is None
        )

    def after(self, conversion: Conversion, plan: OutcomePlan) -> "Journey":
        """Return how far the person is after the conversion, one it `leads_to`."""
        is_new = self.reached_at(conversion.step) is None
        counts = self._counts(conversion, plan)
        if not (is_new or counts):
            return self
        reached = (conversion.step, conversion.at)
        return Journey(
            reached=tuple(sorted((*self.reached, reached))) if is_new else self.reached,
            counted=self.counted + counts,
            last_at=conversion.at if counts else self.last_at,
            variants=self.variants,
        )

    def reached_at(self, step: StepKey) -> Milliseconds | None:
        """Return when the step was reached first."""
        for reached, at in self.reached:
            if reached == step:
                return at
        return None

    def ordinal(self, plan: OutcomePlan) -> int | None:
        """Return what the last conversion that counted is: 1 first, 2 second, or none.

        Between the first and a second that is the third purchase there is one that
        is neither.
        """
        if self.counted <= 1:
            return self.counted or None
        return 2 if self.counted == needed(plan.goal) else None

    def _counts(self, conversion: Conversion, plan: OutcomePlan) -> bool:
        goal = plan.goal
        if self.last_at is None:
            return conversion.step == goal.first
        if conversion.step != goal.second.step or self.counted == needed(plan.goal):
            return False
        gap = goal.second.min_gap_hours if isinstance(goal.second, Repeat) else 0
        return conversion.at - self.last_at >= gap * HOUR


def journey_of(history: History, plan: OutcomePlan) -> Journey:
    """Say how far somebody has come, from everything that is known.

    Args:
        history: of somebody who was exposed.
    """
    exposed_at = min(exposure.at for exposure in history.exposures)
    variants = {exposure.variant for exposure in history.exposures}
    conversions = credited_in(history, exposed_at)
    steps = {*plan.steps, plan.goal.first, plan.goal.second.step}
    reached: dict[StepKey, Milliseconds] = {}
    for conversion in conversions:
        if conversion.step in steps:
            reached.setdefault(conversion.step, conversion.at)
    counted = counted_in(conversions, plan.goal)
    return Journey(
        reached=tuple(sorted(reached.items())),
        counted=len(counted),
        last_at=counted[-1].at if counted else None,
        variants=tuple(sorted(variants)) if len(variants) > 1 else (),
    )
