"""Repeats a scenario and counts false alarms, coverage, power and wrong winners."""

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
from abtest.services.analysis import ReportData, analyze, write_report
from abtest.services.report import ExperimentReport, Today, VerdictCode
from abtest.services.simulation.scenarios import Scenario
from abtest.services.simulation.traffic import (
    Draw,
    day_number,
    draw,
    to_events,
    to_moments,
)
from abtest.stats.moments import Moments
from abtest.stats.results import NotEstimable
from abtest.store.protocol import ExperimentFacts, Store

START = datetime(2026, 1, 5, tzinfo=UTC)
_STEP = StepKey("purchase")
_ARMS = (VariantKey("a"), VariantKey("b"))
_NOTHING_TODAY = Today(exposures=0, conversions=0)
_FACTS = ExperimentFacts(
    contaminated=0, first_exposure=None, last_exposure=None, last_event=None
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """What is repeated, and how it is looked at.

    Attributes:
        days_after_window: the look is this many days after the oldest visitors'
            window is over; None waits until everybody's is.
        method: `fixed` looks once; `sequential` every day until then.
    """

    scenario: Scenario
    replications: int
    seed: int
    days_after_window: int | None = 0
    method: Method = Method.FIXED
    alpha: float = 0.05

    @property
    def as_of(self) -> int:
        """The day of the (last) look, days since 1970-01-01."""
        wait = self.days_after_window
        if wait is None:
            wait = self.scenario.exposure_days - 1
        return day_number(START) + self.scenario.window_days + wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What was counted over the replications.

    Attributes:
        estimated: replications in which the effect on the value could be estimated.
        rejected: of these, p below alpha (sequential: the bound was crossed at some
            look).
        covered: the interval of the effect holds the truth.
        pooled_rejected: a plain count of everything seen, recent visitors included as
            if they were done, finds a difference.
        crowned, kept: verdict `winner` for b; verdict `keep_control`.
        effects: sum of estimated effects, to show bias.
        true_effect: of the scenario.
    """

    estimated: int = 0
    rejected: int = 0
    covered: int = 0
    pooled_rejected: int = 0
    crowned: int = 0
    kept: int = 0
    effects: float = 0.0
    true_effect: float = 0.0

    def __add__(self, other: "Tally") -> "Tally":
        """Add the counts of further replications of the same scenario."""
        return Tally(
            estimated=self.estimated + other.estimated,
            rejected=self.rejected + other.rejected,
            covered=self.covered + other.covered,
            pooled_rejected=self.pooled_rejected + other.pooled_rejected,
            crowned=self.crowned + other.crowned,
            kept=self.kept + other.kept,
            effects=self.effects + other.effects,
            true_effect=self.true_effect or other.true_effect,
        )


def run_through_store(
    study: Study, open_store: Callable[[int], Store]
) -> Iterator[Tally]:
    """Repeat with events through a real store, one fresh store each time.

    Args:
        open_store: gives the store of a replication; it is closed here.
    """
    for number, drawn in enumerate(_draws(study)):
        store = open_store(number)
        try:
            experiment = _experiment(study)
            store.add_experiment(experiment)
            events = [
                event
                for i, one in enumerate(drawn)
                for event in to_events(one, experiment, variant=i, start=START)
            ]
            now = START + timedelta(days=study.as_of - day_number(START) + 1)
            store.record(events, received_at=now)
            report = analyze(store, experiment.key, now=now)
        finally:
            store.close()
        yield _tally(study, report, drawn)


def run_on_sums(study: Study) -> Iterator[Tally]:
    """Repeat with the sums that a store would keep: the same report, much faster."""
    for drawn in _draws(study):
        known = {
            key: to_moments(one, first_day=day_number(START), step=_STEP)
            for key, one in zip(_ARMS, drawn, strict=True)
        }
        yield _tally(study, _report(study, known, study.as_of), drawn)


def _report(
    study: Study, known: dict[VariantKey, Moments], day: int
) -> ExperimentReport:
    return write_report(
        ReportData(
            experiment=_experiment(study),
            known=known,
            facts=_FACTS,
            today=_NOTHING_TODAY,
            day=day,
        )
    )


def _draws(study: Study) -> Iterator[tuple[Draw, ...]]:
    """Draw both variants for every replication from one seed."""
    for seed in np.random.SeedSequence(study.seed).spawn(study.replications):
        rng = np.random.default_rng(seed)
        yield tuple(draw(study.scenario, arm, rng) for arm in study.scenario.arms)


def _experiment(study: Study) -> Experiment:
    scenario = study.scenario
    weights = (
        MoneyWeights(currency="EUR")
        if scenario.order_sigma
        else CountWeights(first=1.0, second=scenario.second_weight, currency="EUR")
    )
    draft = Experiment(
        key=ExperimentKey("simulated"),
        name=scenario.summary,
        variants=tuple(Variant(key=key, name=key) for key in _ARMS),
        funnel=(FunnelStep(key=_STEP, name="Purchase"),),
        goal=ConversionGoal(first=_STEP, second=Repeat(step=_STEP)),
        window_days=scenario.window_days,
        weights=weights,
        alpha=study.alpha,
        method=study.method,
        salt="simulated",
        created_at=START,
        phases=_phases(scenario),
    )
    return draft.after(Action.START, START)


def _phases(scenario: Scenario) -> tuple[Phase, ...]:
    """Return the traffic split, with its change in the middle if there is one."""
    middle = START + timedelta(days=scenario.exposure_days / 2)
    before = _split([arm.share_from for arm in scenario.arms])
    after = _split([arm.share_to for arm in scenario.arms])
    phases = [Phase(since=START, allocation=before, coverage=1.0)]
    if after != before:
        phases.append(Phase(since=middle, allocation=after, coverage=1.0))
    return tuple(phases)


def _split(weights: list[float]) -> Allocation:
    return allocate(list(zip(_ARMS, weights, strict=True)))


def _tally(
    study: Study, report: ExperimentReport, drawn: tuple[Draw, ...]
) -> Tally:
    """Count what one report says."""
    truth = study.scenario.effect
    test = report.comparisons[0].value.frequentist
    sequential = report.comparisons[0].value.sequential
    interval = None
    effect, rejected = 0.0, False
    if not isinstance(test, NotEstimable):
        interval, effect = test.confidence_interval, test.effect
        rejected = test.p_value < study.alpha
    if study.method is Method.SEQUENTIAL and not isinstance(sequential, NotEstimable):
        interval = sequential.confidence_interval
        rejected = sequential.was_crossed
    low = None if interval is None else interval.lower
    high = None if interval is None else interval.upper
    code = report.verdict.code
    return Tally(
        estimated=int(interval is not None),
        rejected=int(rejected),
        covered=int(low is not None and high is not None and low <= truth <= high),
        pooled_rejected=int(_pooled_rejects(study, drawn)),
        crowned=int(code is VerdictCode.WINNER),
        kept=int(code is VerdictCode.KEEP_CONTROL),
        effects=effect,
        true_effect=truth,
    )


def _pooled_rejects(study: Study, drawn: tuple[Draw, ...]) -> bool:
    """Count everything seen so far per visitor, as tools without follow-up do."""
    day = study.as_of - day_number(START)
    means, variances = [], []
    for one in drawn:
        enrolled = one.day <= day
        first = (one.first_lag >= 0) & (one.day + one.first_lag <= day)
        second = (one.second_lag >= 0) & (one.day + one.second_lag <= day)
        if study.scenario.order_sigma:
            value = first * one.first_amount + second * one.second_amount
        else:
            value = first + study.scenario.second_weight * second
        value = value[enrolled]
        means.append(value.mean())
        variances.append(value.var(ddof=1) / value.size)
    z = abs(means[1] - means[0]) / np.sqrt(sum(variances))
    return bool(z > 1.959963984540054)
