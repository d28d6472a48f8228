"""Compares what was said of each replication with the truth, and counts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

from abtest.domain.experiment import Method
from abtest.services.comparison_report import Comparison
from abtest.services.report import ExperimentReport, VerdictCode
from abtest.services.simulation.plain_count import count_plainly, direction
from abtest.services.simulation.scenarios import Scenario
from abtest.services.simulation.traffic import Draw
from abtest.stats.results import Interval, NotEstimable


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was said of one treatment.

    Attributes:
        effect: estimated difference of the value from the control.
        interval: of it, as the method gives it.
        is_rejected: "no difference" was rejected; with looks, at one of them.
    """

    effect: float
    interval: Interval
    is_rejected: bool

    @property
    def is_better(self) -> bool:
        """Whether the treatment was called better than the control."""
        return self.is_rejected and self.effect > 0

    def covers(self, truth: float) -> bool:
        """Whether the interval holds the true effect."""
        low, high = self.interval.lower, self.interval.upper
        return low is not None and high is not None and low <= truth <= high


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A counted share, and the standard error of having counted so few."""

    of: int
    value: float

    @property
    def error(self) -> float:
        """Monte-Carlo standard error; that of the rule of succession at 0 and 1."""
        if self.of == 0:
            return math.inf
        p = min(max(self.value, 1 / (self.of + 2)), 1 - 1 / (self.of + 2))
        return math.sqrt(p * (1 - p) / self.of)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What was counted over the replications.

    Attributes:
        estimated: replications in which all effects on the value could be estimated.
        rejected: of these, "no difference" was rejected for a treatment.
        better: of these, a treatment was called better than the control.
        covered: the intervals of all treatments held their true effects.
        plain_rejected, plain_better: the same by a plain count of everything seen, each
            treatment tested by itself.
        crowned, kept: verdict `winner`; verdict `keep_control`.
        effects: sum of the first treatment's estimated effects, to show bias.
    """

    replications: int = 0
    estimated: int = 0
    rejected: int = 0
    better: int = 0
    covered: int = 0
    plain_rejected: int = 0
    plain_better: int = 0
    crowned: int = 0
    kept: int = 0
    effects: float = 0.0

    def __add__(self, other: "Tally") -> "Tally":
        """Add the counts of further replications of the same scenario."""
        return Tally(
            **{
                field.name: getattr(self, field.name) + getattr(other, field.name)
                for field in fields(self)
            }
        )

    def share(self, count: int) -> Share:
        """Return a count as a share of the replications with an estimate."""
        return Share(of=self.estimated, value=count / max(self.estimated, 1))

    @property
    def mean_effect(self) -> float | None:
        """Mean estimated effect of the first treatment."""
        return self.effects / self.estimated if self.estimated else None


def count_report(
    report: ExperimentReport,
    drawn: Sequence[Draw],
    scenario: Scenario,
    *,
    alpha: float,
    day: int,
) -> Tally:
    """Count what a report says of one replication.

    Args:
        day: of the report, 0 being the first one of the experiment.
    """
    found = [
        _read(comparison, report.plan.method, alpha)
        for comparison in report.comparisons
    ]
    return count_findings(
        found, drawn, scenario, alpha=alpha, day=day, verdict=report.verdict.code
    )


def count_findings(
    found: Sequence[Finding | None],
    drawn: Sequence[Draw],
    scenario: Scenario,
    *,
    alpha: float,
    day: int,
    verdict: VerdictCode | None = None,
) -> Tally:
    """Count what was found in one replication, beside a plain count of the same.

    Args:
        found: one for each treatment; None where nothing could be said.
        day: what was known when, 0 being the first day of the experiment.
        verdict: where there was one.
    """
    known = [one for one in found if one is not None]
    is_estimated = len(known) == len(found)
    control, *treated = (count_plainly(one, scenario, day=day) for one in drawn)
    plain = [direction(control, one, alpha=alpha) for one in treated]
    return Tally(
        replications=1,
        estimated=int(is_estimated),
        rejected=int(is_estimated and any(one.is_rejected for one in known)),
        better=int(is_estimated and any(one.is_better for one in known)),
        covered=int(
            is_estimated
            and all(
                one.covers(truth)
                for one, truth in zip(known, scenario.effects, strict=True)
            )
        ),
        plain_rejected=int(any(plain)),
        plain_better=int(1 in plain),
        crowned=int(verdict is VerdictCode.WINNER),
        kept=int(verdict is VerdictCode.KEEP_CONTROL),
        effects=known[0].effect if is_estimated else 0.0,
    )


def _read(comparison: Comparison, method: Method, alpha: float) -> Finding | None:
    """Return what the report says of the value, by the method of the experiment."""
    test, looks = comparison.value.frequentist, comparison.value.sequential
    if isinstance(test, NotEstimable):
        return None
    if method is Method.SEQUENTIAL:
        if isinstance(looks, NotEstimable):
            return None
        return Finding(
            effect=test.effect,
            interval=looks.confidence_interval,
            is_rejected=looks.was_crossed,
        )
    p_value = test.p_value if test.adjusted_p_value is None else test.adjusted_p_value
    return Finding(
        effect=test.effect,
        interval=test.confidence_interval,
        is_rejected=p_value < alpha,
    )
