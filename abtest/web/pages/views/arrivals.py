"""What came in, line by line: how much of it was odd, and what to do about it."""

from collections.abc import Sequence
from dataclasses import dataclass

from abtest.services.quality import QualityCounts
from abtest.services.report import HealthStatus
from abtest.web.pages.views.tones import HEALTH_TONES
from abtest.web.render.health_sentence import health_word
from abtest.web.render.reader import Reader
from abtest.web.render.translate import mark

REFUSED, LATE, SKEWED, UNASSIGNED = 0.01, 0.01, 0.05, 0.5
"""Shares of the events above which a closer look is worth it."""

_CAUSES = {
    "unknown_step": mark("a step that no experiment has"),
    "unknown_experiment": mark("an experiment that there is not"),
    "unknown_variant": mark("a variant that there is not"),
    "unknown_type": mark("a kind of event that there is not"),
    "unknown_field": mark("a field that there is not"),
    "required": mark("something is missing"),
    "invalid_value": mark("a value that is none"),
    "negative_value": mark("a negative amount"),
    "invalid_currency": mark("a currency that is none"),
    "wrong_currency": mark("another currency than the experiment's"),
    "invalid_time": mark("a time without an offset"),
    "at_in_future": mark("a time in the future"),
    "at_too_old": mark("a time too long ago"),
    "too_long": mark("a text that is too long"),
    "not_allowed": mark("a key that may not tell this"),
}
_ANOTHER = mark("another cause")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One check; `value`, `threshold` and `remedy` may be empty.

    Attributes:
        details: causes with their counts, where there are any.
    """

    key: str
    title: str
    tone: str
    word: str
    found: str
    value: str
    threshold: str
    why: str
    remedy: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """What a line says; `remedy` is said when there is too much of it."""

    key: str
    title: str
    found: str
    why: str
    remedy: str = ""


def arrival_lines(reader: Reader, counts: QualityCounts) -> tuple[Line, ...]:
    """Describe what came in; nothing at all gives no lines."""
    say = reader.gettext
    refused = sum(n for _, n in counts.rejected)
    if not any((counts.received, refused, counts.crawlers, counts.no_consent)):
        return ()
    return (
        _line(
            reader,
            _Words(
                key="refused",
                title=say("Refused events"),
                found=reader.ngettext(
                    "{n} event was refused.", "{n} events were refused.", refused
                ),
                why=say("What is refused is not counted: conversions may be missing."),
                remedy=say(
                    "Look at the causes and mend the page or program that sends"
                    " them; the answer of the service names each field."
                ),
            ),
            count=refused,
            whole=counts.received + refused,
            limit=REFUSED,
            details=_causes(reader, counts.rejected),
        ),
        _line(
            reader,
            _Words(
                key="late",
                title=say("Late events"),
                found=reader.ngettext(
                    "{n} event came more than a week (from servers: a month) late.",
                    "{n} events came more than a week (from servers: a month) late.",
                    counts.late,
                ),
                why=say(
                    "Late events count for their own day and change what was read."
                ),
                remedy=say(
                    "Look at the program that sends them: does it wait too long?"
                ),
            ),
            count=counts.late,
            whole=counts.received,
            limit=LATE,
        ),
        _line(
            reader,
            _Words(
                key="clock-skewed",
                title=say("Wrong clocks"),
                found=reader.ngettext(
                    "{n} time was put right by more than a minute.",
                    "{n} times were put right by more than a minute.",
                    counts.clock_skewed,
                ),
                why=say(
                    "The day of a conversion depends on its time; wrong clocks shift"
                    " days."
                ),
                remedy=say(
                    "Single visitors have wrong clocks; many mean a server. Let it"
                    " take its time from the network (NTP)."
                ),
            ),
            count=counts.clock_skewed,
            whole=counts.received,
            limit=SKEWED,
        ),
        _line(
            reader,
            _Words(
                key="unassigned",
                title=say("Conversions without assignment"),
                found=reader.ngettext(
                    "{n} conversion came from a person who was in no experiment.",
                    "{n} conversions came from persons who were in no experiment.",
                    counts.unassigned,
                ),
                why=say(
                    "Such conversions belong to no variant. Some are usual: people who"
                    " came to other pages. Many mean that the visitor's id is lost on"
                    " the way."
                ),
                remedy=say(
                    "Check that the page of the experiment and the page of the"
                    " conversion send the same visitor or customer id."
                ),
            ),
            count=counts.unassigned,
            whole=counts.received,
            limit=UNASSIGNED,
        ),
        _line(
            reader,
            _Words(
                key="duplicates",
                title=say("Events sent twice"),
                found=reader.ngettext(
                    "{n} event had come before and was dropped.",
                    "{n} events had come before and were dropped.",
                    counts.duplicates,
                ),
                why=say("Who is not sure sends again; the same id counts once."),
            ),
            count=counts.duplicates,
            whole=counts.received,
            limit=None,
        ),
        _plain(
            reader,
            _Words(
                key="crawlers",
                title=say("Crawlers"),
                found=reader.ngettext(
                    "{n} time a crawler asked and was shown the control.",
                    "{n} times a crawler asked and was shown the control.",
                    counts.crawlers,
                ),
                why=say(
                    "Search engines and previews are no visitors; they are not counted."
                ),
            ),
            counts.crawlers,
        ),
        _plain(
            reader,
            _Words(
                key="consent",
                title=say("Without consent"),
                found=reader.ngettext(
                    "{n} time somebody without consent asked and was shown the"
                    " control.",
                    "{n} times somebody without consent asked and was shown the"
                    " control.",
                    counts.no_consent,
                ),
                why=say(
                    "They are counted in no variant. The result speaks for visitors who"
                    " consent."
                ),
            ),
            counts.no_consent,
        ),
    )


def _line(
    reader: Reader,
    words: _Words,
    *,
    count: int,
    whole: int,
    limit: float | None,
    details: tuple[str, ...] = (),
) -> Line:
    share = count / whole if whole else 0.0
    is_odd = limit is not None and share > limit
    status = HealthStatus.WARNING if is_odd else HealthStatus.OK
    percent = reader.format.percent
    return Line(
        key=words.key,
        title=words.title,
        tone=HEALTH_TONES[status],
        word=health_word(status, reader),
        found=words.found if count else reader.gettext("None."),
        value=reader.gettext(
            "{share} of {n} events",
            share=percent(share, digits=2),
            n=reader.format.integer(whole),
        )
        if whole
        else "",
        threshold=""
        if limit is None
        else reader.gettext("at most {amount}", amount=percent(limit, digits=0)),
        why=words.why,
        remedy=words.remedy if is_odd else "",
        details=details,
    )


def _plain(reader: Reader, words: _Words, count: int) -> Line:
    """Describe what is good to know and never wrong."""
    return Line(
        key=words.key,
        title=words.title,
        tone="quiet",
        word=reader.gettext("good to know"),
        found=words.found if count else reader.gettext("None."),
        value="",
        threshold="",
        why=words.why,
        remedy="",
    )


def _causes(reader: Reader, rejected: Sequence[tuple[str, int]]) -> tuple[str, ...]:
    return tuple(
        reader.gettext(
            "{cause} ({code}): {n}",
            n=reader.format.integer(count),
            cause=reader.gettext(_CAUSES.get(code, _ANOTHER)),
            code=code,
        )
        for code, count in rejected
    )
