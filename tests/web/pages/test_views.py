"""What the parts of the results page say in states that are rare in real traffic."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from abtest.domain.experiment import Action, Method, Status
from abtest.domain.funnel import LaterStep, MoneyWeights, Repeat, StepKey, StepKind
from abtest.services.report import Today, VerdictCode, VerdictReason
from abtest.services.variant_report import StepResult
from abtest.stats.results import Decomposition, Factor, Interval, NotEstimable, Reason
from abtest.web.pages.views.decision_log import decision_log
from abtest.web.pages.views.figures import Figure
from abtest.web.pages.views.funnel import funnel_view
from abtest.web.pages.views.gain import gain_view
from abtest.web.pages.views.maturity import maturity_view
from abtest.web.pages.views.method import method_lines
from abtest.web.pages.views.results import results_view
from abtest.web.pages.views.subject import subject_view
from abtest.web.pages.views.verdict_panel import verdict_panel
from abtest.web.render.reader import reader_of
from tests.services.traffic import running
from tests.web.pages.reading import words
from tests.web.render.reports import (
    BUY,
    comparison,
    report,
    with_comparison,
)

ENGLISH, GERMAN = reader_of("en"), reader_of("de")
MINUS = "\N{MINUS SIGN}"


@pytest.mark.parametrize(
    ("code", "changes", "expected"),
    [
        (VerdictCode.NO_DATA, {}, "This changes as soon as the day is over."),
        (
            VerdictCode.NO_DATA,
            {"status": Status.DRAFT},
            "This changes once the experiment is started.",
        ),
        (VerdictCode.UNHEALTHY, {}, "This does not change by waiting."),
        (VerdictCode.STOPPED_EARLY, {}, "This does not change by waiting."),
        (
            VerdictCode.TOO_EARLY,
            {},
            "This can change as soon as more conversions are in.",
        ),
        (
            VerdictCode.RUNNING,
            {},
            (
                "This can change with every complete day; you may look as often as"
                " you like."
            ),
        ),
        (
            VerdictCode.WINNER,
            {},
            "The method allows a decision today; there is no need to wait.",
        ),
        (
            VerdictCode.INCONCLUSIVE,
            {"is_at_end": True},
            "The plan is at its end; waiting does not change this.",
        ),
        (
            VerdictCode.RUNNING,
            {"method": Method.FIXED},
            "This changes at the planned end, about 6 Dec 2026, not before.",
        ),
        (
            VerdictCode.RUNNING,
            {"method": Method.BAYESIAN, "expected_end": None},
            "This changes at the planned end, not before.",
        ),
    ],
)
def test_when_the_verdict_can_change(
    code: VerdictCode, changes: dict[str, object], expected: str
) -> None:
    told = report(code)
    status = changes.pop("status", told.status)
    assert isinstance(status, Status)
    plan = told.plan
    for name, value in changes.items():
        plan = replace(plan, **{name: value})  # type: ignore[arg-type] # by name
    told = replace(told, status=status, plan=plan)
    assert verdict_panel(ENGLISH, told).change == expected


def test_before_the_first_visitor_nothing_is_promised_for_tomorrow() -> None:
    nobody = Today(exposures=0, conversions=0)
    told = replace(report(VerdictCode.NO_DATA), today=nobody)
    assert verdict_panel(ENGLISH, told).change == "This changes with the first visitor."


def test_before_the_window_is_over_a_day_is_named() -> None:
    told = report(VerdictCode.TOO_EARLY, VerdictReason.WINDOW_NOT_REACHED)
    assert verdict_panel(ENGLISH, told).change == (
        "This can change from 6 Dec 2026 at the earliest, when the first visitors have"
        " been followed for the whole window."
    )


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (1.0, 1.0, "Revenue decides, in EUR: both conversions count in full."),
        (
            0.4,
            0.6,
            (
                "Revenue decides, in EUR: that of a first conversion counts 0.4-fold,"
                " that of a second one 0.6-fold."
            ),
        ),
    ],
)
def test_money_says_how_much_of_it_counts(
    first: float, second: float, expected: str
) -> None:
    weights = MoneyWeights(currency="EUR", first_margin=first, second_margin=second)
    assert subject_view(ENGLISH, replace(report(), weights=weights)).worth == expected


def test_what_is_tested() -> None:
    told = subject_view(ENGLISH, report())
    assert told.first == "Purchase (main product)"
    assert told.second == "Purchase for the second time"
    assert told.worth == "A first conversion counts 1, a second one 3 points."
    assert told.window == "Each visitor is followed for 60 days after the first visit."
    assert told.since == "1 Sept 2026"
    gap = replace(report(), second=Repeat(step=BUY, min_gap_hours=24), started_at=None)
    assert subject_view(ENGLISH, gap).second == (
        "Purchase for the second time, at least 24 hours after the one before"
    )
    assert subject_view(ENGLISH, gap).since == "Not started yet"


def test_a_later_step_is_counted_among_those_of_the_first() -> None:
    told = report()
    steps = (
        ("lead", StepKind.LEAD, 2_000),
        ("purchase", StepKind.ACTIVATOR, 500),
        ("upsell", StepKind.UPSELL, 300),
    )
    variants = tuple(
        replace(
            v,
            steps=tuple(
                StepResult(
                    key=StepKey(key),
                    name=key.title(),
                    kind=kind,
                    visitors=count,
                    rate=NotEstimable(Reason.NOT_MATURE),
                )
                for key, kind, count in steps
            ),
        )
        for v in told.variants
    )
    told = replace(told, variants=variants, second=LaterStep(step=StepKey("upsell")))
    view = funnel_view(ENGLISH, told)
    assert view is not None
    assert [row.name for row in view.rows] == ["Visitors", "Lead", "Purchase", "Upsell"]
    assert [row.note for row in view.rows] == [
        "",
        "",
        "first conversion",
        "second conversion",
    ]
    # 10,000 visitors, 2,000 leads, 500 first and 100 second conversions of A.
    last = view.rows[3].cells[0]
    assert (last.count.text, last.all_words) == ("100", "of 10,000")
    assert last.of_base is not None
    assert (last.of_base.text, last.base_words) == ("20.0%", "of 500: Purchase")
    third = view.rows[2].cells[0]
    assert third.of_base is not None
    assert (third.of_base.text, third.base_words) == ("25.0%", "of 2,000: Lead")
    nobody = tuple(replace(v, visitors=0) for v in variants)
    assert funnel_view(ENGLISH, replace(told, variants=nobody)) is None


def test_where_the_gain_comes_from() -> None:
    def factor(ratio: float, lower: float, upper: float) -> Factor:
        interval = Interval(lower=lower, upper=upper)
        return Factor(control=1.0, treatment=ratio, ratio=ratio, interval=interval)

    told = replace(
        comparison(),
        decomposition=Decomposition(
            customers=factor(0.9, 0.85, 0.95),
            purchases=factor(1.2, 1.1, 1.3),
            order_value=factor(1.0, 0.9, 1.1),
            revenue=factor(1.08, 0.98, 1.18),
        ),
    )
    rows = gain_view(ENGLISH, with_comparison(told), 0).rows
    assert [(row.name, row.change.text) for row in rows] == [
        ("Customers", f"{MINUS}10.0%"),
        ("Purchases per customer", "+20.0%"),
        ("Order value", "0.0%"),
        ("Revenue per visitor", "+8.0%"),
    ]
    assert rows[0].change_range.text == f"{MINUS}15.0% to {MINUS}5.0%"
    assert gain_view(ENGLISH, report(), 0).gap == (
        "No revenue is recorded in this experiment."
    )


def test_maturity_speaks_of_the_future_and_of_the_past() -> None:
    said = [words(s) for s in maturity_view(ENGLISH, report()).sentences]
    assert said == [
        "72% of the second conversions we expect are in.",
        "12,800 of 20,000 visitors have been followed for the whole window.",
        "A decision has been possible since 1 Nov 2026.",
        "Everybody who entered so far is followed to the end on 20 Jan 2027.",
    ]
    later = replace(
        report(),
        maturity=replace(report().maturity, share=None, decide_from=date(2026, 11, 23)),
    )
    view = maturity_view(ENGLISH, later)
    assert view.chart is None
    assert words(view.sentences[0]).startswith("How many second conversions")
    assert words(view.sentences[2]) == "A decision is possible from 23 Nov 2026."


def test_the_method_is_told_line_by_line() -> None:
    capped = replace(
        report(),
        currency="EUR",
        plan=replace(
            report().plan, order_cap=250.0, stratified=True, information_fraction=None
        ),
        data_through=None,
    )
    lines = {line.name: line.value for line in method_lines(ENGLISH, capped)}
    assert lines["An order counts up to"] == Figure("€250.00", "plan.order_cap", 250.0)
    assert "day by day" in str(lines["Estimate"])
    assert lines["Data until"] == lines["Share of the planned information"]
    assert isinstance(lines["Chance of a false alarm"], Figure)
    assert lines["Chance of a false alarm"].text == "5%"
    plain_lines = {line.name: line.value for line in method_lines(ENGLISH, report())}
    assert "An order counts up to" not in plain_lines
    assert plain_lines["Data until"] == "21 Nov 2026, 23:30:00 (Europe/Berlin)"


def test_the_log_is_told_newest_first() -> None:
    seen = running()
    ended = seen.after(Action.STOP, datetime(2026, 3, 1, 9, tzinfo=UTC), "enough")
    lines = decision_log(GERMAN, ended)
    assert [(line.what, line.detail) for line in lines] == [
        ("beendet", "enough"),
        ("gestartet", ""),
    ]
    odd = replace(ended, log=(replace(ended.log[0], action="odd"),))
    assert decision_log(GERMAN, odd)[0].what == "odd"


@pytest.mark.parametrize(
    ("code", "start"),
    [
        (VerdictCode.UNHEALTHY, "A health check is blocked."),
        (VerdictCode.TOO_EARLY, "It is too early"),
        (VerdictCode.RUNNING, "Nothing is decided yet."),
    ],
)
def test_numbers_that_decide_nothing_carry_a_caution(
    code: VerdictCode, start: str
) -> None:
    view = results_view(ENGLISH, report(code), running())
    assert view.caution.startswith(start)
    assert results_view(ENGLISH, report(), running()).caution == ""
