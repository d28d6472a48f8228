"""What every store answers beyond the verdict. The docstrings are the contract."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from abtest.domain.events import Milliseconds
from abtest.domain.experiment import ExperimentKey, VariantKey
from abtest.domain.funnel import StepKey
from abtest.domain.purchases import CreditedPurchases
from abtest.domain.traffic import CostSum, Traffic
from abtest.stats.moments import Moments

MAX_SEGMENTS = 50
"""Values of an attribute that are told apart; the rest is together."""

OTHER_SEGMENT = "…"
"""The value that stands for all beyond `MAX_SEGMENTS`."""


class InsightStore(Protocol):
    """Questions beyond the verdict; their time grows with what they look at.

    They are answered from raw events: what retention has removed is left out.
    """

    def purchases(self, key: ExperimentKey) -> Iterator[CreditedPurchases]:
        """Give what each credited visitor bought, one by one; `not_found`.

        Visitors without a purchase are left out. The memory this takes does not
        depend on how many there are; its time grows with visitors and buyers. All
        are read as of the moment the iteration begins.
        """
        ...

    def traffic(
        self,
        steps: Sequence[StepKey],
        *,
        since: Milliseconds,
        until: Milliseconds,
        currency: str | None,
    ) -> Traffic:
        """Return what all persons did from `since` to before `until`.

        An order belongs to the time it was first told of; its refunds are those
        before `until`; money in other currencies is none. Takes eight bytes of
        memory for each name of a person, and time with the events since `since`.

        Args:
            steps: at most 60, in the order of the funnel.
            since: inclusive. Events are found by when they came: what was received
                more than a day before it happened may be missed.
            until: exclusive.
            currency: None counts no money.
        """
        ...

    def costs(self, key: ExperimentKey | None = None) -> tuple[CostSum, ...]:
        """Return what was spent by day, experiment, source and currency, in order.

        Args:
            key: one experiment's costs alone; `not_found`. None for all costs, those
                of no experiment included.
        """
        ...

    def segment_moments(
        self, key: ExperimentKey, attribute: str
    ) -> Mapping[str, Mapping[VariantKey, Moments]]:
        """Return the sums by the value of an attribute; `not_found`.

        The value is that of the visitor's own first exposure: a text as it is, other
        values as JSON writes them, and "" when there is none. The sums of all values
        add up to `moments`. At most `MAX_SEGMENTS` values, those with most visitors;
        all others are in `OTHER_SEGMENT`. Memory does not grow with the visitors; time
        does.
        """
        ...

    def received_since(self, moment: Milliseconds) -> int:
        """Return how many events came in from a moment on, by the store's clock.

        Cheap. Events erased meanwhile may be counted.
        """
        ...

    def segment_attributes(self, key: ExperimentKey) -> tuple[str, ...]:
        """Return names of attributes among recent exposures, sorted; `not_found`."""
        ...
