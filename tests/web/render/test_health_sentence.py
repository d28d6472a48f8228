"""Health checks say what was found, why it matters and what to do."""

import pytest

from abtest.services.report import HealthCheck, HealthCode, HealthStatus
from abtest.web.render.health_sentence import (
    health_remedy,
    health_sentence,
    health_title,
    health_why,
    health_word,
    odds,
)
from abtest.web.render.reader import reader_of
from tests.web.render.reports import report, split_check

NBSP = "\N{NO-BREAK SPACE}"


def check(
    code: HealthCode,
    status: HealthStatus = HealthStatus.WARNING,
    *,
    value: float | None = None,
    observed: tuple[float, ...] = (),
    planned: tuple[float, ...] = (),
) -> HealthCheck:
    return HealthCheck(
        code=code, status=status, value=value, observed=observed, planned=planned
    )


@pytest.mark.parametrize(
    ("found", "english", "german"),
    [
        pytest.param(
            split_check(),
            "Visitors were split as planned (planned 50/50, got 50.0/50.0).",
            "Die Besucher wurden wie geplant verteilt (geplant 50/50, tatsächlich"
            " 50,0/50,0).",
            id="split-ok",
        ),
        pytest.param(
            check(
                HealthCode.SAMPLE_RATIO,
                HealthStatus.BLOCKED,
                observed=(0.4951, 0.5049),
                planned=(0.5, 0.5),
            ),
            "Visitors were not split as planned (planned 50/50, got 49.5/50.5).",
            "Die Besucher wurden nicht wie geplant verteilt (geplant 50/50,"
            " tatsächlich 49,5/50,5).",
            id="split-by-half-a-point",
        ),
        pytest.param(
            check(HealthCode.SAMPLE_RATIO, HealthStatus.OK),
            "There is no visitor yet, so the split is not checked.",
            "Es gibt noch keinen Besucher, daher ist die Aufteilung nicht geprüft.",
            id="split-of-nobody",
        ),
        pytest.param(
            check(HealthCode.MULTIPLE_EXPOSURE, value=0.0, observed=(0.0,)),
            "Nobody saw more than one variant.",
            "Niemand hat mehr als eine Variante gesehen.",
            id="nobody-twice",
        ),
        pytest.param(
            check(HealthCode.MULTIPLE_EXPOSURE, value=0.0125, observed=(1.0,)),
            "1 visitor saw more than one variant (1.25% of all).",
            f"1 Besucher hat mehr als eine Variante gesehen (1,25{NBSP}% aller).",
            id="one-twice",
        ),
        pytest.param(
            check(HealthCode.MULTIPLE_EXPOSURE, value=0.02, observed=(1200.0,)),
            "1,200 visitors saw more than one variant (2.00% of all).",
            f"1.200 Besucher haben mehr als eine Variante gesehen (2,00{NBSP}% aller).",
            id="many-twice",
        ),
        pytest.param(
            check(HealthCode.MATURITY, value=0.72),
            "72% of the second conversions we expect are in.",
            f"72{NBSP}% der erwarteten zweiten Conversions sind eingetroffen.",
            id="maturity",
        ),
        pytest.param(
            check(HealthCode.MATURITY),
            "How many second conversions are missing is unknown yet.",
            "Wie viele zweite Conversions fehlen, ist noch unbekannt.",
            id="maturity-unknown",
        ),
        pytest.param(
            check(HealthCode.GUARDRAIL_SAFETY),
            "First conversions have fallen by more than the 20% you allowed.",
            "Die ersten Conversions sind stärker gefallen als die erlaubten"
            f" 20{NBSP}%.",
            id="safety",
        ),
        pytest.param(
            check(HealthCode.GUARDRAIL_SAFETY, HealthStatus.OK),
            "First conversions have not fallen beyond the 20% you allowed.",
            "Die ersten Conversions sind nicht stärker gefallen als die erlaubten"
            f" 20{NBSP}%.",
            id="safety-ok",
        ),
        pytest.param(
            check(HealthCode.ALLOCATION_CHANGED),
            "The traffic split was changed while the experiment ran.",
            "Die Aufteilung der Besucher wurde im laufenden Test geändert.",
            id="allocation",
        ),
    ],
)
def test_what_was_found(found: HealthCheck, english: str, german: str) -> None:
    assert health_sentence(found, report(), "en") == english
    assert health_sentence(found, report(), "de") == german


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("code", HealthCode)
def test_every_check_has_all_its_words(code: HealthCode, language: str) -> None:
    reader = reader_of(language)
    sick = check(code, observed=(1.0, 2.0), planned=(25.0, 10.0), value=0.5)
    well = check(code, HealthStatus.OK, observed=(1.0, 2.0), planned=(25.0, 10.0))
    assert health_sentence(sick, report(), language).endswith(".")
    assert health_title(sick, reader)
    assert health_why(sick, reader).endswith(".")
    assert health_remedy(sick, reader).endswith(".")
    assert health_remedy(well, reader) == ""


def test_words_for_the_state() -> None:
    english = [health_word(status, reader_of("en")) for status in HealthStatus]
    assert english == ["healthy", "look closer", "blocked"]


def test_odds_stop_where_imagination_does() -> None:
    reader = reader_of("en")
    rare = check(HealthCode.SAMPLE_RATIO, value=1e40)
    assert odds(reader, rare) == "1,000,000"
    assert odds(reader, check(HealthCode.SAMPLE_RATIO, value=250.9)) == "250"
