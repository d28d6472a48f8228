"""The difference table, the chart beside it, and how likely it is."""

from dataclasses import replace

from abtest.services.comparison_report import MeasureTest
from abtest.services.report import ExperimentReport, VerdictCode
from abtest.stats.results import (
    FrequentistResult,
    Interval,
    NotEstimable,
    Reason,
    SequentialResult,
)
from abtest.web.pages.views.difference import difference_view
from abtest.web.pages.views.figures import Figure
from abtest.web.pages.views.likely import likely_sentences
from abtest.web.render.reader import reader_of
from tests.web.pages.reading import words
from tests.web.render.reports import (
    comparison,
    report,
    three_armed,
    with_comparison,
)

ENGLISH, GERMAN = reader_of("en"), reader_of("de")
NBSP = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"


def test_a_gap_stands_where_there_is_no_difference() -> None:
    gap = NotEstimable(Reason.NO_VARIANCE)
    told = comparison()
    told = replace(told, second=replace(told.second, frequentist=gap))
    row = difference_view(ENGLISH, with_comparison(told), 0).rows[1]
    assert row.gap.startswith("All visitors did the same")
    assert row.effect == ""


def sequential() -> ExperimentReport:
    found = SequentialResult(
        confidence_interval=Interval(lower=0.001, upper=0.034),
        relative_confidence_interval=None,
        p_value=0.03,
        critical_value=2.4,
        information_fraction=0.6,
        is_final=False,
        was_crossed=False,
        method="group sequential",
    )
    told = comparison()
    value = replace(told.value, sequential=found)
    return with_comparison(replace(told, value=value))


def test_ranges_allow_for_daily_looks_where_the_method_does() -> None:
    view = difference_view(ENGLISH, sequential(), 0)
    decisive = view.rows[2]
    assert decisive.effect_range == Figure(
        "+1.0 to +34.0",
        "comparisons.0.value.sequential.confidence_interval",
        (0.001, 0.034),
    )
    assert isinstance(decisive.relative_range, Figure)
    assert decisive.relative_range.text == "not bounded"
    assert view.ranges == (
        "The ranges of first conversion and value allow for daily looks."
    )
    late = replace(sequential(), weights_are_exploratory=True)
    view = difference_view(ENGLISH, late, 0)
    assert isinstance(view.rows[2].effect_range, Figure)
    assert view.rows[2].effect_range.text == "+4.2 to +31.4"
    assert view.ranges == "The ranges allow for the worth having been chosen late."


def estimated(test: MeasureTest) -> FrequentistResult:
    assert isinstance(test.frequentist, FrequentistResult)
    return test.frequentist


def test_the_adjusted_p_value_goes_first() -> None:
    told = comparison()
    told = replace(
        told,
        first=replace(
            told.first,
            frequentist=replace(estimated(told.first), adjusted_p_value=0.021),
        ),
    )
    row = difference_view(ENGLISH, with_comparison(told), 0).rows[0]
    assert row.luck == Figure(
        f"21 of 1,000 (p{NBSP}={NBSP}0.021)",
        "comparisons.0.first.frequentist.adjusted_p_value",
        0.021,
    )


def test_a_worthless_control_has_no_relative_change() -> None:
    told = comparison()
    told = replace(
        told,
        value=replace(
            told.value, frequentist=replace(estimated(told.value), relative_effect=None)
        ),
    )
    view = difference_view(ENGLISH, with_comparison(told), 0)
    assert isinstance(view.rows[2].relative, Figure)
    assert view.rows[2].relative.text == "\N{EN DASH}"
    assert "not known yet" in view.chart


def test_how_likely_and_what_is_lost() -> None:
    english = [words(s) for s in likely_sentences(ENGLISH, report(), 0)]
    assert english == [
        "With a probability of 98.0%, B is better than A.",
        (
            "If you choose B and another one is really better, you lose 0.30 points per"
            " 1,000 visitors on average; if you keep A, 18.0 points per 1,000 visitors."
        ),
    ]
    several = likely_sentences(ENGLISH, three_armed(VerdictCode.RUNNING), 1)
    assert words(several[1]) == "With a probability of 97.0%, C is the best of all."
    gap = NotEstimable(Reason.NOT_MATURE)
    unknown = comparison()
    unknown = replace(unknown, value=replace(unknown.value, bayesian=gap))
    (only,) = likely_sentences(ENGLISH, with_comparison(unknown), 0)
    assert only == "Nobody has been followed for the whole window yet."
