"""What the results page shows beside the report: the days and the weeks."""

from dataclasses import dataclass
from datetime import date, datetime

from abtest.domain.experiment import ExperimentKey
from abtest.store.protocol import Store
from abtest.web.pages.views.cohorts import CohortView, cohort_view
from abtest.web.pages.views.over_time import OverTimeView, over_time_view
from abtest.web.render.reader import reader_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """How an experiment went; both are None before the first visitor."""

    over_time: OverTimeView | None
    cohorts: CohortView | None


def write_story(
    store: Store,
    *,
    key: ExperimentKey,
    tag: str,
    now: datetime,
    as_of: date | None = None,
) -> Story:
    """Write how it went; a task for a calculator.

    Args:
        store: what is read.
        key: of the experiment.
        tag: language of the reader.
        now: decides which day was the last complete one.
        as_of: an earlier complete day.
    """
    # scipy takes seconds to load and 100 MB: only who calculates loads it.
    from abtest.services.cohorts import cohorts  # noqa: PLC0415
    from abtest.services.timeline import timeline  # noqa: PLC0415

    reader = reader_of(tag)
    days = timeline(store, key, now=now, as_of=as_of)
    return Story(
        over_time=over_time_view(reader, store.get_experiment(key), days),
        cohorts=cohort_view(reader, cohorts(store, key, now=now, as_of=as_of)),
    )
