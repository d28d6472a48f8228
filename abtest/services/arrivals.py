"""What has arrived of an experiment: enough to tell whether it is built in rightly."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from abtest.domain.access import KeyKind
from abtest.domain.events import Milliseconds
from abtest.domain.experiment import Experiment, VariantKey
from abtest.domain.funnel import StepKey
from abtest.services.key_use import was_used
from abtest.services.quality import QualityCounts, read_quality
from abtest.store.protocol import Store

DAYS = 7
"""Refusals longer ago say little of the present page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """What came in.

    Attributes:
        has_key, is_key_used: whether there is a key for browsers, and whether a page
            ever called with one.
        visitors: exposed for the first time, of each variant in order.
        reached: visitors who reached a step, of each step in order.
        counts: of the last `DAYS` days.
    """

    has_key: bool
    is_key_used: bool
    last_exposure: Milliseconds | None
    last_event: Milliseconds | None
    visitors: tuple[tuple[VariantKey, int], ...]
    reached: tuple[tuple[StepKey, int], ...]
    counts: QualityCounts

    @property
    def has_visitors(self) -> bool:
        """Whether anybody was counted."""
        return self.last_exposure is not None


def read_arrivals(store: Store, experiment: Experiment, now: datetime) -> Arrivals:
    """Return what has arrived; takes no time that grows with the visitors.

    Raises:
        AbtestError: `not_found`, `unavailable`.
    """
    keys = [
        key
        for key in store.list_keys()
        if key.kind is KeyKind.PUBLISHABLE and key.revoked_at is None
    ]
    facts = store.facts(experiment.key)
    moments = store.moments(experiment.key)
    reached: Counter[str] = Counter()
    for sums in moments.values():
        for (_, _, step), persons in sums.steps.items():
            reached[step] += persons
    return Arrivals(
        has_key=bool(keys),
        is_key_used=any(was_used(store, key) for key in keys),
        last_exposure=facts.last_exposure,
        last_event=facts.last_event,
        visitors=tuple(
            (v.key, moments[v.key].visitors if v.key in moments else 0)
            for v in experiment.variants
        ),
        reached=tuple((key, reached[key]) for key in experiment.step_keys),
        counts=read_quality(store, experiment.key, now=now, days=DAYS).total,
    )
