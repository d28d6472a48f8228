"""Counts of what came in, as they would be had the demo's events come day by day."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import numpy as np

from abtest.domain.events import Conversion, Cost, Event, Exposure
from abtest.domain.experiment import ExperimentKey
from abtest.domain.quality import QualityKind, QualityMark
from abtest.domain.visitor import to_milliseconds
from abtest.services.demo.story import Story
from abtest.services.quality import DAYS, mark
from abtest.store.protocol import Store

ODD = {
    QualityKind.DUPLICATE: 0.006,
    QualityKind.LATE: 0.002,
    QualityKind.CLOCK_SKEWED: 0.011,
}
"""Events that are odd in this way, for each visitor of the experiment."""

ASKING = {QualityKind.CRAWLER: 0.04, QualityKind.NO_CONSENT: 0.07}
"""Assign calls of those who are not counted, for each visitor."""

REFUSED = {"unknown_step": 0.0012, "at_too_old": 0.0007}
"""Refused events for each visitor; a story may add to them."""

_DAY = 86_400_000

Counts = Counter[tuple[int, str]]
"""Events by UTC day (days since 1970-01-01) and by what they tell."""


class Arrivals:
    """Sees all events go by, and knows of the last days how many there were."""

    def __init__(self, now: datetime) -> None:
        self._since = to_milliseconds(now - timedelta(days=DAYS)) // _DAY + 1
        self._exposures, self._steps, self._costs = Counts(), Counts(), Counts()

    def see(self, events: Iterable[Event]) -> None:
        """Count events."""
        since = self._since * _DAY
        for event in events:
            if event.at < since:
                continue
            match event:
                case Exposure():
                    self._exposures[event.at // _DAY, event.experiment] += 1
                case Conversion():
                    self._steps[event.at // _DAY, event.step] += 1
                case Cost(experiment=str(key)):
                    self._costs[event.at // _DAY, key] += 1
                case _:
                    pass

    def tell(self, store: Store, stories: Iterable[Story], *, seed: int) -> None:
        """Put the counts into the store, with what is odd among them."""
        rng = np.random.default_rng(seed)
        days: dict[int, Counter[QualityMark]] = defaultdict(Counter)
        for story in stories:
            self._experiment(days, story, rng)
        everything = self._exposures + self._steps + self._costs
        for (day, _), count in everything.items():
            days[day][mark(QualityKind.RECEIVED, None)] += count
        for day, marks in days.items():
            store.tally(day, marks)

    def _experiment(
        self,
        days: Mapping[int, Counter[QualityMark]],
        story: Story,
        rng: np.random.Generator,
    ) -> None:
        """Add the counts of one experiment; what is odd counts for all as well."""
        key = ExperimentKey(story.definition.key)
        refused = Counter(REFUSED) + Counter(story.refused)
        steps = [step.key for step in story.definition.funnel]
        for day in {day for day, _ in self._exposures + self._steps}:
            visitors = self._exposures[day, key]
            received = visitors + self._costs[day, key]
            received += sum(self._steps[day, step] for step in steps)
            marks = days[day]
            marks[mark(QualityKind.RECEIVED, key)] += received
            odd = [(kind, "", share) for kind, share in (ODD | ASKING).items()]
            odd += [(QualityKind.REJECTED, *pair) for pair in refused.items()]
            for kind, code, share in odd:
                count = int(rng.poisson(share * visitors))
                marks[mark(kind, key, code)] += count
                marks[mark(kind, None, code)] += count
