"""What a person told while setting up that is no part of the experiment itself."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from abtest.domain.experiment import ExperimentKey
from abtest.domain.visitor import last_complete_day
from abtest.store.protocol import Store

RECENT = timedelta(days=28)
"""Traffic of the past is looked at no longer than this: four whole weeks."""

_SETTING = "set_up:"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUpNotes:
    """Where the page is, and what the planner was told.

    Attributes:
        page_url: address of the landing page, for preview links; empty when unknown.
        first_rate, repeat_rate: shares between 0 and 1.
        history: experiment whose rates are taken instead; empty for none.
        order_mean, order_sd: of an order, major units.
    """

    page_url: str = ""
    visitors_per_day: float | None = None
    first_rate: float | None = None
    repeat_rate: float | None = None
    history: str = ""
    order_mean: float | None = None
    order_sd: float | None = None

    @property
    def is_plan(self) -> bool:
        """Whether the planner can say how long it takes."""
        rates = self.first_rate is not None and self.repeat_rate is not None
        return self.visitors_per_day is not None and (rates or bool(self.history))


def read_notes(store: Store, key: ExperimentKey) -> SetUpNotes:
    """Return what was kept; empty notes when nothing was."""
    kept = store.get_setting(_SETTING + key)
    return SetUpNotes() if kept is None else msgspec.json.decode(kept, type=SetUpNotes)


def keep_notes(store: Store, key: ExperimentKey, notes: SetUpNotes) -> None:
    """Keep the notes beside the experiment.

    Raises:
        AbtestError: `unavailable`.
    """
    if notes != read_notes(store, key):
        store.put_setting(_SETTING + key, msgspec.json.encode(notes).decode())


def past_visitors_per_day(
    store: Store, key: ExperimentKey, *, now: datetime
) -> float | None:
    """Return how many visitors a day an experiment saw of late; None when none did.

    Its last four weeks with visitors are averaged, and what its coverage kept out is
    added again: what comes to the page, not what came into the experiment.

    Raises:
        AbtestError: `not_found`.
    """
    experiment = store.get_experiment(key)
    yesterday = last_complete_day(now, experiment.time_zone)
    seen = [d for d in store.activity(key) if d.exposures and d.day <= yesterday]
    if not seen or not experiment.phases:
        return None
    last = seen[-1].day
    first = max(seen[0].day, last - RECENT.days + 1)
    visitors = sum(d.exposures for d in seen if d.day >= first)
    return visitors / (last - first + 1) / experiment.phases[-1].coverage
