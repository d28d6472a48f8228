"""The installation page: snippets, keys, and what has arrived so far."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from abtest.domain.access import ApiKey
from abtest.domain.experiment import Experiment, Status
from abtest.services.arrivals import Arrivals
from abtest.web.pages.views.install_snippets import (
    Snippet,
    more_snippets,
    page_snippets,
)
from abtest.web.pages.views.times import moment_in_zone
from abtest.web.render.reader import Reader
from abtest.web.render.translate import mark
from abtest.web.render.words import STATUSES

ENOUGH = 50
"""Visitors of the experiment without one of a variant that make one suspicious."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_REFUSALS: Mapping[str, str] = {
    "unknown_step": mark(
        "The step is not in any funnel: compare the spelling with the keys in part 3 of"
        " the set-up."
    ),
    "unknown_experiment": mark("The experiment is not known: compare its key."),
    "unknown_variant": mark("The variant is not known: compare its key."),
    "wrong_currency": mark("The currency is another one than that of the experiment."),
    "invalid_currency": mark("The currency is none: write three capital letters."),
    "invalid_value": mark("The value is no number."),
    "negative_value": mark(
        "The value is negative; refunds have an event of their own."
    ),
    "required": mark("A field is missing, for example the visitor or the step."),
    "at_too_old": mark("The event is older than is accepted."),
    "at_in_future": mark("The clock of the sender is ahead."),
    "not_a_person": mark(
        "The visitor or customer is no usable id, for example “undefined”."
    ),
}
_OTHER_REFUSAL = mark("See the answer of the call: it names the field.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of what the doctor found."""

    tone: str
    title: str
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKey:
    """A key that exists; its secret is known to its holder alone."""

    name: str
    hint: str
    origins: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyTold:
    """The key that the page speaks of, and what was wrong with what was typed.

    Attributes:
        text: of the key in the snippets; empty for a place to fill in.
        is_new: just made, shown this once.
        origins: as typed for a new key.
        problems: sentences by field.
    """

    text: str = ""
    is_new: bool = False
    origins: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallView:
    """The page.

    Attributes:
        is_live: whether the page should go on asking for the first event.
        may_make_keys: admins alone.
    """

    key: str
    name: str
    status: str
    status_word: str
    snippets: tuple[Snippet, ...]
    more: tuple[Snippet, ...]
    keys: tuple[KnownKey, ...]
    told: KeyTold
    may_make_keys: bool
    headline: Finding
    findings: tuple[Finding, ...]
    is_live: bool


def install_view(
    reader: Reader,
    experiment: Experiment,
    arrivals: Arrivals,
    *,
    service: str,
    keys: tuple[ApiKey, ...],
    told: KeyTold,
    may_make_keys: bool,
) -> InstallView:
    """Describe the page."""
    return InstallView(
        key=experiment.key,
        name=experiment.name,
        status=experiment.status.value,
        status_word=reader.gettext(STATUSES[experiment.status]),
        snippets=page_snippets(reader, experiment, service=service, key=told.text),
        more=more_snippets(reader, experiment, service=service, key=told.text),
        keys=tuple(
            KnownKey(
                name=k.name,
                hint=k.hint,
                origins=", ".join(k.origins) or reader.gettext("from every site"),
            )
            for k in keys
        ),
        told=told,
        may_make_keys=may_make_keys,
        headline=headline(reader, experiment, arrivals),
        findings=tuple(_findings(reader, experiment, arrivals)),
        is_live=not arrivals.has_visitors,
    )


def headline(reader: Reader, experiment: Experiment, arrivals: Arrivals) -> Finding:
    """Say in one line whether anything has come."""
    say = reader.gettext
    if arrivals.last_exposure is not None:
        return Finding(
            tone="good",
            title=say(
                "It works: the last new visitor came on {moment}.",
                moment=_moment(reader, arrivals.last_exposure, experiment),
            ),
        )
    if experiment.status is Status.DRAFT:
        return Finding(
            tone="wait",
            title=say("Not started: nobody is counted yet."),
            advice=say(
                "Put the snippet in, look at the variants through the preview links of"
                " the set-up, then start."
            ),
        )
    return Finding(tone="wait", title=say("Waiting for the first visitor …"))


def _findings(
    reader: Reader, experiment: Experiment, arrivals: Arrivals
) -> Iterator[Finding]:
    yield _key_finding(reader, arrivals)
    if arrivals.has_visitors:
        yield from _variant_findings(reader, experiment, arrivals)
        yield from _step_findings(reader, experiment, arrivals)
    elif experiment.status is not Status.DRAFT:
        yield from _why_nobody(reader, arrivals)
    yield from _refusals(reader, arrivals)
    yield from _left_out(reader, arrivals)


def _key_finding(reader: Reader, arrivals: Arrivals) -> Finding:
    say = reader.gettext
    if not arrivals.has_key:
        return Finding(
            tone="bad",
            title=say("There is no key for browsers."),
            advice=say("Without one every call is refused. Make one below."),
        )
    if not arrivals.is_key_used and arrivals.has_visitors:
        return Finding(
            tone="wait",
            title=say("Visitors came through a server or an import."),
            advice=say("No page has called with a key for browsers."),
        )
    if not arrivals.is_key_used:
        return Finding(
            tone="choice",
            title=say("No page has called with a key for browsers yet."),
            advice=say(
                "Is the snippet on the page that you look at, is its key one of those"
                " below, and does neither an ad blocker nor a Content-Security-Policy"
                " stop it? The browser's console says so. A call from an address that"
                " the key does not allow is refused too."
            ),
        )
    return Finding(tone="good", title=say("Pages call with a key for browsers."))


def _variant_findings(
    reader: Reader, experiment: Experiment, arrivals: Arrivals
) -> Iterator[Finding]:
    names = {v.key: v.name for v in experiment.variants}
    shares = {v.key: v.weight for v in experiment.variants}
    total = sum(n for _, n in arrivals.visitors)
    never = [names[key] for key, n in arrivals.visitors if n == 0 and shares[key] > 0]
    counts = ", ".join(
        f"{names[key]} {reader.format.integer(n)}" for key, n in arrivals.visitors
    )
    title = reader.gettext("New visitors so far: {counts}.", counts=counts)
    if total >= ENOUGH and never:
        yield Finding(
            tone="bad",
            title=title,
            advice=reader.gettext(
                "Nobody was shown {names}. If a server assigns by itself, it always"
                " says the same; if pages are kept in a cache, they hold one variant"
                " for everybody.",
                names=", ".join(never),
            ),
        )
    else:
        yield Finding(tone="good", title=title)


def _step_findings(
    reader: Reader, experiment: Experiment, arrivals: Arrivals
) -> Iterator[Finding]:
    names = {s.key: s.name for s in experiment.funnel}
    for key, persons in arrivals.reached:
        if persons:
            yield Finding(
                tone="good",
                title=reader.ngettext(
                    "{step}: {n} visitor came this far.",
                    "{step}: {n} visitors came this far.",
                    persons,
                    step=names[key],
                ),
            )
        else:
            yield Finding(
                tone="choice",
                title=reader.gettext(
                    "{step}: nothing has arrived yet.", step=names[key]
                ),
                advice=reader.gettext(
                    "If it should have, check that the page or shop reports the step"
                    " under the key {key}, and with the same visitor or customer.",
                    key=key,
                ),
            )


def _why_nobody(reader: Reader, arrivals: Arrivals) -> Iterator[Finding]:
    if arrivals.is_key_used:
        yield Finding(
            tone="choice",
            title=reader.gettext("Pages call, but nobody is in this experiment."),
            advice=reader.gettext(
                "Compare data-experiments in the snippet with the key of this"
                " experiment. Is the consent banner waiting, or is the experiment"
                " paused?"
            ),
        )


def _refusals(reader: Reader, arrivals: Arrivals) -> Iterator[Finding]:
    for code, number in arrivals.counts.rejected:
        yield Finding(
            tone="bad",
            title=reader.ngettext(
                "{n} event was refused in the last 7 days ({code}).",
                "{n} events were refused in the last 7 days ({code}).",
                number,
                code=code,
            ),
            advice=reader.gettext(_REFUSALS.get(code, _OTHER_REFUSAL)),
        )


def _left_out(reader: Reader, arrivals: Arrivals) -> Iterator[Finding]:
    counts = arrivals.counts
    if counts.no_consent:
        yield Finding(
            tone="wait",
            title=reader.ngettext(
                "{n} time somebody without consent saw the control.",
                "{n} times somebody without consent saw the control.",
                counts.no_consent,
            ),
            advice=reader.gettext(
                "They are not counted. If that is nearly everybody, the banner may not"
                " tell the snippet of the consent: it calls abtest.consent(true)."
            ),
        )
    if counts.crawlers:
        yield Finding(
            tone="wait",
            title=reader.ngettext(
                "{n} time a crawler saw the control.",
                "{n} times a crawler saw the control.",
                counts.crawlers,
            ),
            advice=reader.gettext("They are not counted; nothing is to be done."),
        )
    if counts.unassigned:
        yield Finding(
            tone="choice",
            title=reader.ngettext(
                "{n} conversion came from somebody who was in no experiment.",
                "{n} conversions came from persons who were in no experiment.",
                counts.unassigned,
            ),
            advice=reader.gettext(
                "Some are usual: not everybody sees the page. If there are many, shop"
                " and page use different visitor ids, or the customer number is"
                " missing."
            ),
        )


def _moment(reader: Reader, milliseconds: int, experiment: Experiment) -> str:
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return moment_in_zone(reader, moment, experiment.time_zone)
