"""What later conversions add to a stored outcome, without a look at earlier events."""

from collections.abc import Sequence

from abtest.domain.events import Conversion
from abtest.domain.funnel import StepKey
from abtest.domain.journey import Journey
from abtest.domain.visitor import Entry, OutcomePlan, entries_of, local_day
from abtest.store.sqlite.outcome_rows import Row, from_detail, to_detail, to_text
from abtest.store.sqlite.rollup import Sums


class Course:
    """Follows the visitor who is credited with what the person does.

    Whatever is added here is what `resolve` would say of all events.

    Attributes:
        journey: how far the person has come by now.
    """

    def __init__(self, row: Row, journey: Journey, plan: OutcomePlan) -> None:
        self.journey = journey
        self._row = row
        self._plan = plan
        self._entries: list[Entry] = []
        self._steps: list[tuple[StepKey, int]] = []

    def take(self, conversions: Sequence[Conversion]) -> bool:
        """Take conversions at the experiment's steps, in order of time.

        Their orders must not have been told before.

        Returns:
            Whether it can be told what they mean.
        """
        row, plan = self._row, self._plan
        for conversion in conversions:
            if conversion.at < row.exposed_at:
                continue
            before = self.journey
            if not before.leads_to(conversion, plan):
                return False
            after = self.journey = before.after(conversion, plan)
            entries: list[Entry] = []
            if after.counted > before.counted and (ordinal := after.ordinal(plan)):
                entries = entries_of(ordinal, conversion, (), row.day, plan)
                self._entries += entries
            if after.reached is not before.reached and conversion.step in plan.steps:
                lag = (
                    entries[0].lag
                    if entries
                    else local_day(conversion.at, plan.time_zone) - row.day
                )
                self._steps.append((conversion.step, lag))
        return True

    def add_to(self, sums: Sums, experiment: int) -> Row:
        """Add what was taken to the sums; return the row as it must be now."""
        variant, day, variants_seen, detail, exposed_at, _ = self._row
        entries, steps, covariate = from_detail(detail)
        sums.add_deeds(
            (experiment, variant, day),
            self._entries,
            self._steps,
            covariate=covariate,
            after=entries,
        )
        reached = {**dict(steps), **dict(self._steps)}
        detail = to_detail(
            (*entries, *self._entries),
            [(s, reached[s]) for s in self._plan.steps if s in reached],
            covariate,
        )
        journey = to_text(self.journey)
        return Row(variant, day, variants_seen, detail, exposed_at, journey)
