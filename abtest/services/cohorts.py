"""Visitors by the week of their first exposure, and what became of them since."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from abtest.domain.experiment import Experiment, ExperimentKey, VariantKey
from abtest.domain.visitor import day_to_date
from abtest.services.estimates import estimator
from abtest.services.report_day import as_of_day
from abtest.stats.delayed import Window
from abtest.stats.moments import Moments
from abtest.stats.results import NotEstimable, ValueEstimate
from abtest.stats.survival import kaplan_meier
from abtest.store.protocol import Store

_WEEK = 7
_MONDAY = 4
"""1970-01-01 was a Thursday; days counted from it begin a week at 4, 11, ..."""


class Maturity(StrEnum):
    """Whether a number can still change as time goes by."""

    COMPLETE = "complete"
    GROWING = "growing"


@dataclass(frozen=True, slots=True, kw_only=True)
class LagWeek:
    """Second conversions of a cohort until the end of a week after the exposure.

    Attributes:
        through_lag: the last day after the exposure that counts.
        second: second conversions so far, cumulative.
        share: of the cohort's visitors. While `growing` some of them have not been
            followed that far, and the share is too low.
    """

    through_lag: int
    second: int
    share: float
    maturity: Maturity


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortWeek:
    """The visitors who were first exposed from a Monday to the Sunday after it.

    Attributes:
        monday: of that week.
        first: first conversions so far, within their window.
        first_maturity: whether all have been followed for that window.
        lags: weeks that have begun for at least one of the visitors, ascending.
    """

    monday: date
    visitors: int
    first: int
    first_maturity: Maturity
    lags: tuple[LagWeek, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantCohorts:
    """The cohorts of one variant.

    Attributes:
        second_opinion: the share of visitors with a second conversion by Kaplan and
            Meier, who know nothing of money: it agrees with the report's rate to a
            few hundredths of a standard error unless the traffic split has changed.
    """

    variant: VariantKey
    name: str
    weeks: tuple[CohortWeek, ...]
    second_opinion: ValueEstimate | NotEstimable


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortReport:
    """All variants by exposure week, control first."""

    experiment: ExperimentKey
    as_of: date
    window_days: int
    variants: tuple[VariantCohorts, ...]


def cohorts(
    store: Store, key: ExperimentKey, *, now: datetime, as_of: date | None = None
) -> CohortReport:
    """Describe an experiment by exposure week.

    Args:
        now: decides which day was the last complete one.
        as_of: an earlier complete day in the experiment's time zone.

    Raises:
        AbtestError: `not_found`, or `invalid` when `as_of` is not complete yet.
    """
    experiment = store.get_experiment(key)
    day = as_of_day(experiment, now, as_of)
    return describe_cohorts(experiment, store.moments(key), day=day)


def describe_cohorts(
    experiment: Experiment, known: Mapping[VariantKey, Moments], *, day: int
) -> CohortReport:
    """Describe what was known at the end of a day; a pure function."""
    moments = {variant: m.until(day) for variant, m in known.items()}
    window = estimator(experiment, moments).window
    return CohortReport(
        experiment=experiment.key,
        as_of=day_to_date(day),
        window_days=experiment.window_days,
        variants=tuple(
            VariantCohorts(
                variant=variant.key,
                name=variant.name,
                weeks=_weeks(moments.get(variant.key, Moments()), window, day),
                second_opinion=kaplan_meier(
                    moments.get(variant.key, Moments()),
                    ordinal=2,
                    window=window.second,
                    as_of=day,
                ),
            )
            for variant in experiment.variants
        ),
    )


def _weeks(moments: Moments, window: Window, as_of: int) -> tuple[CohortWeek, ...]:
    first: Counter[int] = Counter()
    second: Counter[tuple[int, int]] = Counter()
    for (day, lag, ordinal), cell in moments.cells.items():
        if ordinal == 1 and lag <= window.first:
            first[_monday(day)] += cell.conversions
        elif ordinal == 2 and lag <= window.second:
            second[_monday(day), lag // _WEEK] += cell.conversions
    days: dict[int, list[int]] = {}
    for day in sorted(day for day, n in moments.cohorts.items() if n):
        days.setdefault(_monday(day), []).append(day)
    weeks = []
    for monday, exposed in days.items():
        visitors = sum(moments.cohorts[day] for day in exposed)
        oldest, newest = as_of - exposed[0], as_of - exposed[-1]
        lags, so_far = [], 0
        for week in range(min(oldest, window.second) // _WEEK + 1):
            last = min(_WEEK * week + _WEEK - 1, window.second)
            so_far += second[monday, week]
            lags.append(
                LagWeek(
                    through_lag=last,
                    second=so_far,
                    share=so_far / visitors,
                    maturity=_maturity(newest, last),
                )
            )
        weeks.append(
            CohortWeek(
                monday=day_to_date(monday),
                visitors=visitors,
                first=first[monday],
                first_maturity=_maturity(newest, window.first),
                lags=tuple(lags),
            )
        )
    return tuple(weeks)


def _monday(day: int) -> int:
    """Return the Monday on or before a day."""
    return day - (day - _MONDAY) % _WEEK


def _maturity(followed: int, last_lag: int) -> Maturity:
    """Judge by how long the newest visitors have been followed."""
    return Maturity.COMPLETE if followed >= last_lag else Maturity.GROWING
