"""Repeats a scenario through the report, and counts how often the report is right."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from abtest.domain.allocation import Allocation, allocate
from abtest.domain.experiment import (
    Action,
    Experiment,
    ExperimentKey,
    Method,
    Phase,
    Variant,
    VariantKey,
)
from abtest.domain.funnel import (
    ConversionGoal,
    CountWeights,
    FunnelStep,
    MoneyWeights,
    Repeat,
    StepKey,
)
from abtest.domain.visitor import date_to_day
from abtest.services.analysis import ReportData, analyze, write_report
from abtest.services.report import ExperimentReport, Today
from abtest.services.simulation.scenarios import Scenario
from abtest.services.simulation.tally import Tally, count_report
from abtest.services.simulation.traffic import Draw, draw_all, to_events, to_moments
from abtest.stats.moments import Moments
from abtest.store.protocol import ExperimentFacts, Store

START = datetime(2026, 1, 5, tzinfo=UTC)
STEP = StepKey("purchase")
_FIRST_DAY = date_to_day(START.date())
_NOTHING_TODAY = Today(exposures=0, conversions=0)
_FACTS = ExperimentFacts(
    contaminated=0, first_exposure=None, last_exposure=None, last_event=None
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """What is repeated, and how it is looked at.

    Attributes:
        seed: replication number i is the same whatever the number of replications.
        days_after_window: the (last) look is this many days after the oldest
            visitors' window is over; None waits until everybody's is.
        method: `fixed` looks once; `sequential` every day from the end of the oldest
            visitors' window on.
    """

    scenario: Scenario
    replications: int
    seed: int
    days_after_window: int | None = 0
    method: Method = Method.FIXED
    alpha: float = 0.05

    @property
    def day(self) -> int:
        """The day of the (last) look, 0 being the first one of the experiment."""
        wait = self.days_after_window
        mature = self.scenario.exposure_days - 1
        return self.scenario.window_days + (mature if wait is None else wait)

    @property
    def as_of(self) -> int:
        """The same, days since 1970-01-01."""
        return _FIRST_DAY + self.day

    @property
    def now(self) -> datetime:
        """The midnight at which that day is complete."""
        return START + timedelta(days=self.day + 1)

    @property
    def variants(self) -> tuple[VariantKey, ...]:
        """Keys a, b, c, ... of the scenario's arms."""
        return tuple(
            VariantKey(chr(ord("a") + i)) for i in range(len(self.scenario.arms))
        )

    def draws(self, *, first: int = 0) -> Iterator[tuple[Draw, ...]]:
        """Draw all variants for every replication.

        Args:
            first: replication to begin with.
        """
        for number in range(first, self.replications):
            seed = np.random.SeedSequence(self.seed, spawn_key=(number,))
            yield draw_all(self.scenario, np.random.default_rng(seed))

    def moments(self, drawn: tuple[Draw, ...]) -> dict[VariantKey, Moments]:
        """Add the draw up as the store would."""
        return {
            key: to_moments(one, self.scenario, first_day=_FIRST_DAY, step=STEP)
            for key, one in zip(self.variants, drawn, strict=True)
        }

    def experiment(self) -> Experiment:
        """Return the experiment as it stands on the day of the look.

        It is closed to new visitors when the last of the scenario have come.
        """
        scenario = self.scenario
        cap = scenario.order_cap
        experiment = Experiment(
            key=ExperimentKey("simulated"),
            name=scenario.summary,
            variants=tuple(Variant(key=key, name=key) for key in self.variants),
            funnel=(FunnelStep(key=STEP, name="Purchase"),),
            goal=ConversionGoal(first=STEP, second=Repeat(step=STEP)),
            window_days=scenario.window_days,
            weights=(
                MoneyWeights(currency="EUR")
                if scenario.order_sigma
                else CountWeights(
                    first=1.0, second=scenario.second_weight, currency="EUR"
                )
            ),
            alpha=self.alpha,
            method=self.method,
            minimum_detectable_effect=scenario.smallest_effect,
            order_cap=None if cap is None else round(100 * cap),
            salt="simulated",
            created_at=START,
            phases=_phases(scenario, self.variants),
        ).after(Action.START, START)
        closed = START + timedelta(days=scenario.exposure_days)
        return (
            experiment if self.now < closed else experiment.after(Action.CLOSE, closed)
        )

    def tally(self, report: ExperimentReport, drawn: tuple[Draw, ...]) -> Tally:
        """Count what one report says."""
        return count_report(
            report, drawn, self.scenario, alpha=self.alpha, day=self.day
        )


def run_through_store(
    study: Study, open_store: Callable[[int], Store]
) -> Iterator[Tally]:
    """Repeat with events through a real store, one fresh store each time.

    Args:
        open_store: gives the store of a replication; it is closed here.
    """
    experiment = study.experiment()
    for number, drawn in enumerate(study.draws()):
        store = open_store(number)
        try:
            store.add_experiment(experiment)
            events = [
                event
                for i, one in enumerate(drawn)
                for event in to_events(one, experiment, variant=i, start=START)
            ]
            store.record(events, received_at=study.now)
            report = analyze(store, experiment.key, now=study.now)
        finally:
            store.close()
        yield study.tally(report, drawn)


def run_on_sums(study: Study) -> Iterator[Tally]:
    """Repeat with the sums that a store would keep: the same report, much faster."""
    for drawn in study.draws():
        yield study.tally(report_of(study, study.moments(drawn)), drawn)


def report_of(study: Study, known: dict[VariantKey, Moments]) -> ExperimentReport:
    """Write the report of one replication from its sums."""
    return write_report(
        ReportData(
            experiment=study.experiment(),
            known=known,
            facts=_FACTS,
            today=_NOTHING_TODAY,
            day=study.as_of,
        )
    )


def _phases(scenario: Scenario, keys: tuple[VariantKey, ...]) -> tuple[Phase, ...]:
    """Return the traffic split, with its change in the middle if there is one."""
    before = _split(keys, [arm.share_from for arm in scenario.arms])
    after = _split(keys, [arm.share_to for arm in scenario.arms])
    phases = [Phase(since=START, allocation=before, coverage=1.0)]
    if after != before:
        middle = START + timedelta(days=(scenario.exposure_days + 1) // 2)
        phases.append(Phase(since=middle, allocation=after, coverage=1.0))
    return tuple(phases)


def _split(keys: tuple[VariantKey, ...], weights: list[float]) -> Allocation:
    return allocate(list(zip(keys, weights, strict=True)))
