"""Health checks in words: what was found, why it matters, what to do."""

from collections.abc import Sequence

from abtest.services.report import (
    ExperimentReport,
    HealthCheck,
    HealthCode,
    HealthStatus,
)
from abtest.web.render.reader import Reader, reader_of
from abtest.web.render.translate import mark

_WORDS = {
    HealthStatus.OK: mark("healthy"),
    HealthStatus.WARNING: mark("look closer"),
    HealthStatus.BLOCKED: mark("blocked"),
}

_TITLES = {
    HealthCode.SAMPLE_RATIO: mark("Traffic split"),
    HealthCode.MULTIPLE_EXPOSURE: mark("One visitor, one variant"),
    HealthCode.MINIMUM_COUNTS: mark("Enough conversions"),
    HealthCode.MATURITY: mark("Maturity"),
    HealthCode.WEIGHTS_CHANGED: mark("Worth fixed beforehand"),
    HealthCode.ALLOCATION_CHANGED: mark("Change of the split"),
    HealthCode.GUARDRAIL_SAFETY: mark("Safety of first conversions"),
    HealthCode.UNEQUAL_SPLIT: mark("Unequal split"),
}

_FOUND = {
    HealthCode.WEIGHTS_CHANGED: mark(
        "The worth of the conversions was changed after the start."
    ),
    HealthCode.ALLOCATION_CHANGED: mark(
        "The traffic split was changed while the experiment ran."
    ),
    HealthCode.UNEQUAL_SPLIT: mark(
        "The split is very unequal and the smaller variant has few second conversions."
    ),
}

_WHY = {
    HealthCode.SAMPLE_RATIO: mark(
        "If one variant loses visitors on the way, those who remain are no longer"
        " comparable."
    ),
    HealthCode.MULTIPLE_EXPOSURE: mark(
        "Such visitors count for the variant they saw first; many of them blur the"
        " difference."
    ),
    HealthCode.MINIMUM_COUNTS: mark(
        "Below that, ranges and probabilities are not reliable."
    ),
    HealthCode.MATURITY: mark(
        "Second conversions that are still missing can turn the result."
    ),
    HealthCode.WEIGHTS_CHANGED: mark(
        "A worth chosen after seeing numbers can be chosen to please."
    ),
    HealthCode.ALLOCATION_CHANGED: mark(
        "Totals would mix days with different shares, so each day is compared with"
        " itself."
    ),
    HealthCode.GUARDRAIL_SAFETY: mark(
        "A page that loses most first conversions should not wait for the second ones."
    ),
    HealthCode.UNEQUAL_SPLIT: mark(
        "With few second conversions in the smaller variant the usual test is too"
        " strict with it."
    ),
}

_REMEDIES = {
    HealthCode.SAMPLE_RATIO: mark(
        "Look for a redirect, a cache, bots or an error in one variant; then start a"
        " new experiment."
    ),
    HealthCode.MULTIPLE_EXPOSURE: mark(
        "Send the customer id once people sign in, and do not hand out forced links."
    ),
    HealthCode.MINIMUM_COUNTS: mark("Wait for more conversions."),
    HealthCode.MATURITY: mark("Wait."),
    HealthCode.WEIGHTS_CHANGED: mark(
        "Read the result as an exploration; fix the worth before the next start."
    ),
    HealthCode.ALLOCATION_CHANGED: mark("Nothing; it is allowed for."),
    HealthCode.GUARDRAIL_SAFETY: mark(
        "Look at it now: if the page is broken, stop the experiment."
    ),
    HealthCode.UNEQUAL_SPLIT: mark(
        "Nothing; the test that suits such splits is used instead."
    ),
}

MOST_ODDS = 1_000_000
"""Rarer than one in a million is not imagined by anybody."""


def health_sentence(check: HealthCheck, report: ExperimentReport, language: str) -> str:
    """Say what a check found."""
    reader = reader_of(language)
    match check.code:
        case HealthCode.SAMPLE_RATIO:
            return _split_sentence(reader, check)
        case HealthCode.MULTIPLE_EXPOSURE:
            return _exposure_sentence(reader, check)
        case HealthCode.MINIMUM_COUNTS:
            return _counts_sentence(reader, check)
        case HealthCode.MATURITY:
            return _maturity_sentence(reader, check)
        case HealthCode.GUARDRAIL_SAFETY:
            return _safety_sentence(reader, check, report.plan.first_conversion_margin)
        case _:
            return reader.gettext(_FOUND[check.code])


def health_title(check: HealthCheck, reader: Reader) -> str:
    """Name the check."""
    return reader.gettext(_TITLES[check.code])


def health_why(check: HealthCheck, reader: Reader) -> str:
    """Say why the check matters."""
    return reader.gettext(_WHY[check.code])


def health_remedy(check: HealthCheck, reader: Reader) -> str:
    """Say what to do; empty when all is well."""
    if check.status is HealthStatus.OK:
        return ""
    return reader.gettext(_REMEDIES[check.code])


def health_word(status: HealthStatus, reader: Reader) -> str:
    """Say how healthy, in a word or two."""
    return reader.gettext(_WORDS[status])


def odds(reader: Reader, check: HealthCheck) -> str:
    """Write how rarely chance makes an e-value this large: at most 1 in e.

    By Ville's inequality (https://arxiv.org/abs/2210.01948, section 2).
    """
    value = min(check.value or 1.0, MOST_ODDS)
    return reader.format.integer(int(value))


def _split_sentence(reader: Reader, check: HealthCheck) -> str:
    if not check.observed:
        return reader.gettext("There is no visitor yet, so the split is not checked.")
    planned, observed = _parts(reader, check.planned, check.observed)
    if check.status is HealthStatus.OK:
        return reader.gettext(
            "Visitors were split as planned (planned {planned}, got {observed}).",
            planned=planned,
            observed=observed,
        )
    return reader.gettext(
        "Visitors were not split as planned (planned {planned}, got {observed}).",
        planned=planned,
        observed=observed,
    )


def _parts(
    reader: Reader, planned: Sequence[float], observed: Sequence[float]
) -> tuple[str, str]:
    """Write both splits in percent, with decimals where whole numbers hide it."""

    def text(shares: Sequence[float], digits: int) -> str:
        return "/".join(reader.format.number(100 * s, digits=digits) for s in shares)

    differs = (d for d in range(2) if text(planned, d) != text(observed, d))
    return text(planned, 0), text(observed, next(differs, 1))


def _exposure_sentence(reader: Reader, check: HealthCheck) -> str:
    count = int(check.observed[0]) if check.observed else 0
    if count == 0:
        return reader.gettext("Nobody saw more than one variant.")
    return reader.ngettext(
        "{n} visitor saw more than one variant ({share} of all).",
        "{n} visitors saw more than one variant ({share} of all).",
        count,
        share=reader.format.percent(check.value or 0.0, digits=2),
    )


def _counts_sentence(reader: Reader, check: HealthCheck) -> str:
    first, second = (int(n) for n in check.observed)
    first_needed, second_needed = (int(n) for n in check.planned)
    return reader.gettext(
        "The smallest variant has {first} first conversions (needed: {first_needed});"
        " compared variants have {second} second conversions together (needed:"
        " {second_needed}).",
        first=reader.format.integer(first),
        first_needed=reader.format.integer(first_needed),
        second=reader.format.integer(second),
        second_needed=reader.format.integer(second_needed),
    )


def _maturity_sentence(reader: Reader, check: HealthCheck) -> str:
    if check.value is None:
        return reader.gettext("How many second conversions are missing is unknown yet.")
    return reader.gettext(
        "{share} of the second conversions we expect are in.",
        share=reader.format.percent(check.value, digits=0),
    )


def _safety_sentence(reader: Reader, check: HealthCheck, margin: float) -> str:
    allowed = reader.format.percent(margin, digits=0)
    if check.status is HealthStatus.OK:
        return reader.gettext(
            "First conversions have not fallen beyond the {margin} you allowed.",
            margin=allowed,
        )
    return reader.gettext(
        "First conversions have fallen by more than the {margin} you allowed.",
        margin=allowed,
    )
