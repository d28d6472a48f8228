"""Names of things, reasons for gaps, and quantities."""

from dataclasses import replace

import pytest

from abtest.domain.experiment import Method, Status
from abtest.domain.funnel import LaterStep, MoneyWeights, Repeat, StepKind
from abtest.services.report import VerdictCode
from abtest.stats.results import Interval, NotEstimable, Reason
from abtest.web.render.format import MINUS
from abtest.web.render.glossary import glossary
from abtest.web.render.quantities import (
    chance,
    conversions,
    level,
    luck,
    percent_span,
    value_of,
)
from abtest.web.render.reader import reader_of
from abtest.web.render.words import (
    KINDS,
    METHODS,
    REASONS,
    STATUSES,
    leading_comparison,
    quoted,
    reason_sentence,
    second_name,
    step_name,
    variant_name,
)
from tests.web.render.reports import BUY, A, B, C, report, three_armed

ENGLISH, GERMAN = reader_of("en"), reader_of("de")
NBSP = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize("reason", Reason)
def test_every_gap_is_explained_in_both_languages(reason: Reason) -> None:
    english = reason_sentence(NotEstimable(reason), "en")
    german = reason_sentence(NotEstimable(reason), "de")
    assert english.endswith(".")
    assert german.endswith(".")
    assert english != german


def test_every_choice_has_a_word() -> None:
    assert set(STATUSES) == set(Status)
    assert set(KINDS) == set(StepKind)
    assert set(METHODS) == set(Method)
    assert set(REASONS) == set(Reason)


@pytest.mark.parametrize(
    ("name", "english", "german"),
    [
        ("A", "A", "A"),
        ("Original", "Original", "Original"),
        ("long form", "“long form”", "„long form“"),
        ("beige", "“beige”", "„beige“"),
    ],
)
def test_names_stand_out(name: str, english: str, german: str) -> None:
    assert quoted(ENGLISH, name) == english
    assert quoted(GERMAN, name) == german


def test_variants_are_all_named_in_one_manner() -> None:
    told = report()
    a, b = told.variants
    told = replace(told, variants=(a, replace(b, name="Long form")))
    assert variant_name(ENGLISH, told, A) == "“A”"
    assert variant_name(ENGLISH, report(), A) == "A"
    nameless = replace(told, variants=(replace(a, name=""), b))
    assert variant_name(GERMAN, nameless, A) == "„a“"


def test_the_second_conversion_has_a_name() -> None:
    told = report()
    assert second_name(ENGLISH, told) == "Purchase for the second time"
    assert second_name(GERMAN, told) == "Purchase zum zweiten Mal"
    third = replace(told, second=Repeat(step=BUY, ordinal=3))
    assert second_name(ENGLISH, third) == "Purchase, time no. 3"
    later = replace(told, second=LaterStep(step=BUY))
    assert second_name(ENGLISH, later) == "Purchase"
    assert step_name(told, BUY) == "Purchase"


def test_the_variant_ahead_leads() -> None:
    found = leading_comparison(three_armed(VerdictCode.RUNNING))
    assert found is not None
    assert found.variant == C
    named = three_armed(VerdictCode.WINNER)
    named = replace(named, verdict=replace(named.verdict, variant=B))
    found = leading_comparison(named)
    assert found is not None
    assert found.variant == B
    gap = NotEstimable(Reason.NO_VISITORS)
    a, b, c = named.variants
    unknown = replace(
        three_armed(VerdictCode.RUNNING), variants=(a, b, replace(c, value=gap))
    )
    found = leading_comparison(unknown)
    assert found is not None
    assert found.variant == B


def test_quantities() -> None:
    rate = conversions(ENGLISH)
    assert rate.text(0.0502, digits=1) == "50.2"
    assert rate.per == "per 1,000 visitors"
    assert rate.amount(0.0502, digits=1) == "50.2"
    points = value_of(GERMAN, report())
    assert points.amount(0.0178, digits=1, signed=True) == "+17,8 Punkte"
    paid = replace(report(), weights=MoneyWeights(currency="CHF"))
    money = value_of(reader_of("de-CH"), paid)
    assert money.per == "je Besucher"
    assert money.amount(0.125, digits=3) == f"CHF{NBSP}0.125"


@pytest.mark.parametrize(
    ("lower", "upper", "expected"),
    [
        (-0.14, 0.016, "-14.0% to +1.6%"),
        (None, 0.5, "at most +50.0%"),
        (0.02, None, "at least +2.0%"),
        (None, None, "not bounded"),
        (-1.0, 2.5, "-100% to +250%"),
    ],
)
def test_ranges(lower: float | None, upper: float | None, expected: str) -> None:
    interval = Interval(lower=lower, upper=upper)
    assert percent_span(ENGLISH, interval) == expected.replace("-", MINUS)


def test_a_range_that_is_missing() -> None:
    assert percent_span(ENGLISH, None) == "not bounded"
    assert conversions(GERMAN).span(None) == "nicht eingegrenzt"


@pytest.mark.parametrize(
    ("p_value", "expected"),
    [
        (None, "\N{EN DASH}"),
        (0.0004, "fewer than 1 of 1,000 (p < 0.001)"),
        (0.0031, "3 of 1,000 (p = 0.003)"),
        (0.0494, "49 of 1,000 (p = 0.049)"),
        (0.341, "34 of 100 (p = 0.341)"),
    ],
)
def test_luck_is_a_natural_frequency(p_value: float | None, expected: str) -> None:
    assert luck(ENGLISH, p_value).replace(NBSP, " ") == expected


@pytest.mark.parametrize(
    ("probability", "expected"),
    [
        (0.9999, "more than 99.9%"),
        (0.5, "50.0%"),
        (0.972, "97.2%"),
        (0.0001, "less than 0.1%"),
    ],
)
def test_a_probability_is_no_certainty(probability: float, expected: str) -> None:
    assert chance(ENGLISH, probability) == expected


def test_the_level_is_that_of_the_plan() -> None:
    told = report()
    assert level(ENGLISH, told) == "95"
    strict = replace(told, plan=replace(told.plan, alpha=0.025))
    assert level(GERMAN, strict) == "97,5"


def test_the_glossary_explains_25_words_in_both_languages() -> None:
    english, german = glossary(ENGLISH), glossary(GERMAN)
    assert len(english) == len({term.key for term in english}) == 25
    assert all(e.text != g.text for e, g in zip(english, german, strict=True))
