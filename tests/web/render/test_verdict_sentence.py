"""Eleven verdicts, two languages, word for word."""

import tomllib
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abtest.domain.experiment import Status
from abtest.domain.funnel import MoneyWeights
from abtest.services.comparison_report import Guardrail, GuardrailState
from abtest.services.report import (
    ExperimentReport,
    Health,
    HealthCheck,
    HealthCode,
    HealthStatus,
    Today,
    VerdictCode,
    VerdictReason,
)
from abtest.stats.results import Interval, NotEstimable, Reason
from abtest.web.render.verdict_sentence import verdict_sentence, verdict_words
from tests.web.render.reports import (
    comparison,
    report,
    split_check,
    three_armed,
    with_value,
)

NBSP = "\N{NO-BREAK SPACE}"
OPEN = Interval(lower=-0.003, upper=0.007)


def unhealthy() -> ExperimentReport:
    blocked = HealthStatus.BLOCKED
    return replace(
        report(VerdictCode.UNHEALTHY, VerdictReason.SAMPLE_RATIO),
        health=Health(status=blocked, checks=(split_check(blocked),)),
    )


def losing_too_many(code: VerdictCode, lower: float, upper: float) -> ExperimentReport:
    guardrail = Guardrail(
        margin=0.2,
        interval=Interval(lower=lower, upper=upper),
        state=GuardrailState.FAILED,
    )
    return replace(
        report(code), comparisons=(replace(comparison(), guardrail=guardrail),)
    )


def nobody_yet() -> ExperimentReport:
    nobody = Today(exposures=0, conversions=0)
    return replace(report(VerdictCode.NO_DATA), today=nobody)


def worse() -> ExperimentReport:
    lost = with_value(comparison(), -0.0092, Interval(lower=-0.014, upper=-0.0044))
    return replace(report(VerdictCode.KEEP_CONTROL), comparisons=(lost,))


def still_open(code: VerdictCode) -> ExperimentReport:
    return replace(report(code), comparisons=(with_value(comparison(), 0.002, OPEN),))


TOLD = {
    told.verdict.code: told
    for told in (
        nobody_yet(),
        unhealthy(),
        report(VerdictCode.TOO_EARLY, VerdictReason.WINDOW_NOT_REACHED),
        report(VerdictCode.WINNER),
        losing_too_many(VerdictCode.TRADEOFF, -0.407, -0.311),
        worse(),
        still_open(VerdictCode.RUNNING),
        losing_too_many(VerdictCode.GUARDRAIL_OPEN, -0.26, -0.14),
        still_open(VerdictCode.EQUIVALENT),
        still_open(VerdictCode.INCONCLUSIVE),
        still_open(VerdictCode.STOPPED_EARLY),
    )
}
GOLDEN = tomllib.loads(Path(__file__).with_name("verdicts.toml").read_text())


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("code", VerdictCode)
def test_each_verdict_word_for_word(code: VerdictCode, language: str) -> None:
    assert verdict_sentence(TOLD[code], language) == GOLDEN[code][language]


def test_a_draft_asks_to_be_started() -> None:
    draft = replace(report(VerdictCode.NO_DATA), status=Status.DRAFT)
    assert (
        verdict_words(draft, "en").headline == "This experiment has not been started."
    )
    assert verdict_words(draft, "de").advice == (
        "Starten Sie ihn und setzen Sie das Snippet auf die Seite."
    )


def test_visitors_of_today_are_not_overlooked() -> None:
    first_day = report(VerdictCode.NO_DATA)
    assert first_day.today.exposures
    assert verdict_words(first_day, "en").headline == "The first visitors came today."
    assert verdict_sentence(first_day, "de") == (
        "Heute kamen die ersten Besucher. Ein Tag zählt, wenn er vorbei ist: Noch gibt"
        " es nichts zu beurteilen. Sehen Sie morgen wieder nach."
    )


def test_too_few_conversions_say_how_many_there_are() -> None:
    counts = HealthCheck(
        code=HealthCode.MINIMUM_COUNTS,
        status=HealthStatus.WARNING,
        observed=(12.0, 3.0),
        planned=(25.0, 10.0),
    )
    early = replace(
        report(VerdictCode.TOO_EARLY, VerdictReason.TOO_FEW_FIRST),
        health=Health(status=HealthStatus.WARNING, checks=(counts,)),
    )
    words = verdict_words(early, "en")
    assert words.happened == "There are too few conversions to compare the variants."
    assert words.certainty == (
        "The smallest variant has 12 first conversions (needed: 25); compared variants"
        " have 3 second conversions together (needed: 10)."
    )
    bare = replace(early, health=Health(status=HealthStatus.OK, checks=()))
    assert verdict_words(bare, "en").certainty == (
        "Small counts change a lot from day to day."
    )


def test_money_is_told_per_visitor() -> None:
    paid = with_value(comparison(), 0.93, Interval(lower=0.47, upper=1.38))
    money = replace(report(), weights=MoneyWeights(currency="EUR"), comparisons=(paid,))
    words = verdict_words(money, "en")
    assert words.happened == (
        "It brings about €0.93 more per visitor over both conversions. Per 1,000"
        " visitors that is 4.1 fewer first conversions and 7.3 more second conversions."
    )
    joined = "+\N{WORD JOINER}€"
    assert words.certainty.startswith(
        f"The 95% range, {joined}0.47 to {joined}1.38 per visitor, lies above zero"
    )
    assert f"etwa 0,93{NBSP}€ mehr" in verdict_sentence(money, "de")
    choice = replace(money, verdict=replace(money.verdict, code=VerdictCode.TRADEOFF))
    assert verdict_words(choice, "en").advice == (
        "You decide whether the later revenue is worth the customers lost at first."
    )


def test_the_best_of_several_variants_is_named() -> None:
    lost = Interval(lower=-0.014, upper=-0.0044)
    three = three_armed(VerdictCode.KEEP_CONTROL)
    both = tuple(with_value(c, -0.0092, lost) for c in three.comparisons)
    words = verdict_words(replace(three, comparisons=both), "en")
    assert words.headline == "All other variants are worse than A."
    assert words.happened.startswith("The closest, C, brings about 9.2 points less")
    waiting = verdict_words(three_armed(VerdictCode.RUNNING), "en")
    assert waiting.certainty == (
        "95% range of the true difference between C, ahead of the others, and A: +4.2"
        " to +31.4 points per 1,000 visitors."
    )
    equal = verdict_words(three_armed(VerdictCode.EQUIVALENT), "en")
    assert equal.happened == "All variants do about equally well."


@pytest.mark.parametrize(
    ("status", "start"),
    [
        (Status.PAUSED, "The experiment is paused"),
        (Status.CLOSED, "No new visitors enter"),
        (Status.RUNNING, "The experiment runs as planned"),
    ],
)
def test_a_running_experiment_tells_its_state(status: Status, start: str) -> None:
    told = replace(still_open(VerdictCode.RUNNING), status=status)
    assert verdict_words(told, "en").headline.startswith(start)


def test_without_a_forecast_no_date_is_promised() -> None:
    told = still_open(VerdictCode.RUNNING)
    told = replace(told, plan=replace(told.plan, expected_end=None))
    assert verdict_words(told, "en").advice == (
        "Wait until the planned amount of data is in."
    )
    early = report(VerdictCode.TOO_EARLY, VerdictReason.WINDOW_NOT_REACHED)
    early = replace(early, verdict=replace(early.verdict, decide_from=None))
    assert verdict_words(early, "en").advice == "Wait."


def test_weights_chosen_late_are_owned_up_to() -> None:
    tried = verdict_sentence(
        report(VerdictCode.WINNER, VerdictReason.EXPLORATORY_WEIGHTS), "en"
    )
    assert "it is an exploration" in tried
    changed = verdict_sentence(
        report(VerdictCode.WINNER, VerdictReason.WEIGHTS_CHANGED), "de"
    )
    assert "wurde nach dem Start geändert" in changed


def test_a_missing_range_is_said_to_be_missing() -> None:
    unknown = replace(comparison(), decision_interval=None)
    told = replace(report(VerdictCode.WINNER), comparisons=(unknown,))
    assert "cannot be bounded" in verdict_sentence(told, "en")
    gap = NotEstimable(Reason.NO_VARIANCE)
    nothing = replace(
        unknown,
        first=replace(unknown.first, frequentist=gap),
        value=replace(unknown.value, frequentist=gap),
    )
    told = replace(report(VerdictCode.INCONCLUSIVE), comparisons=(nothing,))
    assert "cannot be bounded" in verdict_sentence(told, "en")
    told = replace(report(VerdictCode.WINNER), comparisons=(nothing,))
    assert "an unknown amount" in verdict_sentence(told, "en")
    none = replace(report(VerdictCode.INCONCLUSIVE), comparisons=())
    assert "cannot be bounded" in verdict_sentence(none, "en")


def test_a_winner_of_first_conversions_pays_off_below_the_tie() -> None:
    lost_later = replace(
        comparison(), second=with_value(comparison(), -0.01, OPEN).value
    )
    told = replace(report(VerdictCode.TRADEOFF), comparisons=(lost_later,))
    assert "worth less than 0.6 points" in verdict_words(told, "en").advice


@given(
    code=st.sampled_from(VerdictCode),
    reasons=st.sets(st.sampled_from(VerdictReason)),
    status=st.sampled_from(Status),
    effect=st.floats(-1, 1),
    ends=st.tuples(st.none() | st.floats(-1, 1), st.none() | st.floats(-1, 1)),
    end=st.none() | st.just(date(2026, 12, 6)),
    language=st.sampled_from(["de", "en", "de-AT", "de-CH", "en-US"]),
)
def test_every_code_has_a_sentence_in_every_state(
    code: VerdictCode,
    reasons: set[VerdictReason],
    status: Status,
    effect: float,
    ends: tuple[float | None, float | None],
    end: date | None,
    language: str,
) -> None:
    told = report(code, *sorted(reasons))
    told = replace(
        told,
        status=status,
        comparisons=(
            with_value(comparison(), effect, Interval(lower=ends[0], upper=ends[1])),
        ),
        plan=replace(told.plan, expected_end=end),
    )
    words = verdict_words(told, language)
    assert words.headline
    assert words.certainty
    assert words.advice
    text = verdict_sentence(told, language)
    assert "{" not in text
    assert "None" not in text
    assert "  " not in text
    assert "signifi" not in text


def test_a_check_that_fails_otherwise_blocks_too() -> None:
    check = HealthCheck(code=HealthCode.WEIGHTS_CHANGED, status=HealthStatus.BLOCKED)
    told = replace(
        report(VerdictCode.UNHEALTHY),
        health=Health(status=HealthStatus.BLOCKED, checks=(check,)),
    )
    words = verdict_words(told, "en")
    assert words.headline == "Do not use these numbers: a health check failed."
    assert words.happened == (
        "The worth of the conversions was changed after the start."
    )
    unnamed = replace(told, health=Health(status=HealthStatus.BLOCKED, checks=()))
    assert verdict_words(unnamed, "en").happened == ""
