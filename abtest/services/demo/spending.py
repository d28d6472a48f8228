"""What the visitors of the demo cost: events by day and source."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from abtest.domain.events import Cost
from abtest.domain.experiment import Experiment
from abtest.domain.visitor import to_milliseconds
from abtest.services.demo import shapes
from abtest.services.demo.story import Story
from abtest.services.demo.traffic import Timetable
from abtest.services.imports.identity import EventNames

_SPREAD = 0.12
"""Standard deviation of the logarithm of a day's price."""


def spend(
    story: Story, experiment: Experiment, timetable: Timetable, *, seed: int
) -> Iterator[Cost]:
    """Give what was spent on each day on which visitors came, today left out.

    Args:
        experiment: says the currency.
        seed: the same seed, experiment and day give the same events.
    """
    rng, names = np.random.default_rng(seed), EventNames()
    currency = experiment.currency
    if currency is None:
        return
    day = timetable.first
    while day <= min(timetable.last, timetable.today - timedelta(days=1)):
        visitors = story.visitors_per_day * shapes.WEEKDAYS[day.weekday()]
        at = to_milliseconds(_told(day))
        for source, each in story.costs.items():
            price = each * float(np.exp(_SPREAD * rng.standard_normal()))
            yield Cost(
                id=names.single(at, "cost", experiment.key, source),
                at=at,
                experiment=experiment.key,
                source=source,
                day=day.isoformat(),
                amount=round(100 * visitors * price),
                currency=currency,
            )
        day += timedelta(days=1)


def _told(day: date) -> datetime:
    """Return when the bill of a day comes: right after midnight."""
    return datetime.combine(day + timedelta(days=1), time(), UTC)
