"""A plan in plain sentences: how long to send, how long to wait, and what to expect."""

from collections.abc import Iterator, Sequence

from abtest.services.planning import PlannedExperiment, PlannedMeasure, Timetable
from abtest.stats.results import NotEstimable, Reason
from abtest.web.render.reader import Reader, reader_of

_ROWS = 8
"""Lines of the curve in a text."""


def plan_sentences(plan: PlannedExperiment, language: str) -> tuple[str, ...]:
    """Say what the plan means, the most important first.

    Args:
        language: a language tag: `de`, `en`, or with a country such as `de-AT`.
    """
    return tuple(_sentences(reader_of(language), plan))


def plan_curve(plan: PlannedExperiment, language: str) -> tuple[tuple[str, str], ...]:
    """Return a few points of the curve, with a heading: day, smallest effect seen."""
    reader = reader_of(language)
    curve = plan.value.curve
    if not curve:
        return ()
    last = len(curve) - 1
    steps = min(_ROWS - 1, last)
    kept = [round(i * last / steps) for i in range(steps + 1)] if steps else [0]
    return (
        (reader.gettext("Days"), reader.gettext("Smallest change found")),
        *(
            (
                reader.format.integer(curve[i][0]),
                reader.format.percent(curve[i][1], digits=1),
            )
            for i in kept
        ),
    )


def _sentences(reader: Reader, plan: PlannedExperiment) -> Iterator[str]:
    timetable = plan.value.timetable
    if isinstance(timetable, NotEstimable):
        yield _impossible(reader, plan, timetable.reason)
    else:
        yield from _possible(reader, plan, timetable)
    yield from _alone(reader, plan)
    if plan.price:
        yield reader.gettext(
            "You may look every day. That costs about {share} more visitors, which are"
            " counted in.",
            share=reader.format.percent(plan.price, digits=0),
        )
    yield from _guardrail(reader, plan)
    yield _source(reader, plan)


def _possible(
    reader: Reader, plan: PlannedExperiment, timetable: Timetable
) -> Iterator[str]:
    yield reader.ngettext(
        "Send visitors for {n} day: {visitors}.",
        "Send visitors for {n} days: {visitors}.",
        timetable.traffic_days,
        visitors=_visitors(reader, timetable.visitors_per_variant),
    )
    total = reader.ngettext(
        "{n} day after the start",
        "{n} days after the start",
        timetable.total_days,
    )
    if timetable.follow_up_days:
        yield reader.ngettext(
            "Then wait {n} day for conversions that are still to come and decide on"
            " {date}, {total}.",
            "Then wait {n} days for conversions that are still to come and decide on"
            " {date}, {total}.",
            timetable.follow_up_days,
            date=reader.format.day(timetable.decide_from),
            total=total,
        )
    else:
        yield reader.gettext(
            "No waiting is needed after that; decide on {date}, {total}.",
            date=reader.format.day(timetable.decide_from),
            total=total,
        )
    yield reader.gettext(
        "If the value per visitor really changes by {effect}, the experiment finds it"
        " with a probability of {power}.",
        effect=_share(reader, plan.effect),
        power=_share(reader, plan.power),
    )


def _impossible(reader: Reader, plan: PlannedExperiment, reason: Reason) -> str:
    if reason is Reason.NOT_POSITIVE:
        return reader.gettext(
            "The expected value per visitor is not above zero, so a relative change of"
            " it cannot be planned; change the weights."
        )
    if not plan.value.curve:
        return reader.gettext("This cannot be planned; check rates and weights.")
    days, effect = plan.value.curve[-1]
    return reader.ngettext(
        "A change of {effect} cannot be found with these visitors: after {n} day the"
        " smallest change that is found is {found}. Look for a larger one, or send"
        " more visitors.",
        "A change of {effect} cannot be found with these visitors: after {n} days the"
        " smallest change that is found is {found}. Look for a larger one, or send"
        " more visitors.",
        days,
        effect=_share(reader, plan.effect),
        found=_share(reader, effect),
    )


def _alone(reader: Reader, plan: PlannedExperiment) -> Iterator[str]:
    """Say what the conversions alone would take."""
    effect = _share(reader, plan.effect)
    if (days := _total_days(plan.first)) is not None:
        yield reader.ngettext(
            "For a change of {effect} of the first conversions alone {n} day is"
            " enough.",
            "For a change of {effect} of the first conversions alone {n} days are"
            " enough.",
            days,
            effect=effect,
        )
    if (days := _total_days(plan.second)) is not None:
        yield reader.ngettext(
            "For a change of {effect} of the second conversions alone it would take {n}"
            " day.",
            "For a change of {effect} of the second conversions alone it would take {n}"
            " days.",
            days,
            effect=effect,
        )


def _total_days(measure: PlannedMeasure) -> int | None:
    timetable = measure.timetable
    return None if isinstance(timetable, NotEstimable) else timetable.total_days


def _guardrail(reader: Reader, plan: PlannedExperiment) -> Iterator[str]:
    guardrail = plan.guardrail
    if isinstance(guardrail, NotEstimable):
        return
    margin = _share(reader, plan.margin)
    smallest = reader.format.percent(guardrail.smallest_margin, digits=1)
    if guardrail.is_resolvable:
        yield reader.gettext(
            "The {margin} of first conversions that a winner may lose can be checked:"
            " everything above {smallest} can.",
            margin=margin,
            smallest=smallest,
        )
    else:
        yield reader.gettext(
            "Warning: the {margin} of first conversions that a winner may lose cannot"
            " be told from chance. Allow more than {smallest}, or send visitors for"
            " longer.",
            margin=margin,
            smallest=smallest,
        )


def _source(reader: Reader, plan: PlannedExperiment) -> str:
    """Say what the plan rests on."""
    first = reader.format.percent(plan.baseline.first_rate, digits=2)
    repeat = reader.format.percent(plan.baseline.repeat_rate, digits=1)
    if plan.history is not None:
        return reader.gettext(
            "It rests on {history}: {first} convert and {repeat} of them convert again,"
            " as late as they did there.",
            history=plan.history,
            first=first,
            repeat=repeat,
        )
    return reader.gettext(
        "It rests on what you told: {first} convert and {repeat} of them convert again."
        " How late they do is assumed; name an earlier experiment to use its delays.",
        first=first,
        repeat=repeat,
    )


def _visitors(reader: Reader, counts: Sequence[int]) -> str:
    if len(set(counts)) == 1:
        return reader.gettext(
            "{visitors} for each of {variants} variants",
            visitors=reader.format.integer(counts[0]),
            variants=reader.format.integer(len(counts)),
        )
    return reader.gettext(
        "{visitors} for the variants, the control first",
        visitors=" / ".join(reader.format.integer(n) for n in counts),
    )


def _share(reader: Reader, share: float) -> str:
    """Write a share that a person chose, without needless decimals."""
    digits = 0 if abs(100 * share - round(100 * share)) < 0.05 else 1
    return reader.format.percent(share, digits=digits)
