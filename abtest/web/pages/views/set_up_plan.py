"""The planner's answer: how long, how many, until when, and the curve behind it."""

from dataclasses import dataclass
from datetime import date, datetime

from markupsafe import Markup

from abtest.services.plan_rules import PlanQuestion
from abtest.store.protocol import Store
from abtest.web.render.charts.axis import Axis, Tick
from abtest.web.render.charts.plan_curve import PlanCurve, draw_plan_curve
from abtest.web.render.reader import Reader

LONG_DAYS = 56
"""Eight weeks: beyond, pages, seasons and cookies change more than the variants."""

_HEADROOM = 5
"""The curve is drawn up to so many times the change that is looked for."""
_ROWS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOutline:
    """What the pages need of a plan; it loads no statistics where it is read.

    Attributes:
        visitors: of each variant, the control first; empty when it cannot be planned.
        curve: (complete days of data, smallest relative change found by then).
        is_guarded: whether the allowed loss of first conversions can be checked; None
            when that cannot be said.
        sentences: the plan in words.
    """

    visitors: tuple[int, ...]
    traffic_days: int
    follow_up_days: int
    decide_from: date | None
    curve: tuple[tuple[int, float], ...]
    effect: float
    is_guarded: bool | None
    sentences: tuple[str, ...]


def outline_plan(
    store: Store, question: PlanQuestion, *, now: datetime, tag: str
) -> PlanOutline:
    """Plan where the statistics are; loads them.

    Raises:
        AbtestError: as `plan_experiment`.
    """
    # scipy takes seconds to load and 100 MB: only who calculates loads it.
    from abtest.services.planning import plan_experiment  # noqa: PLC0415
    from abtest.stats.results import NotEstimable  # noqa: PLC0415
    from abtest.web.render.plan_sentence import plan_sentences  # noqa: PLC0415

    plan = plan_experiment(store, question, now=now)
    timetable, guardrail = plan.value.timetable, plan.guardrail
    known = None if isinstance(timetable, NotEstimable) else timetable
    return PlanOutline(
        visitors=() if known is None else known.visitors_per_variant,
        traffic_days=0 if known is None else known.traffic_days,
        follow_up_days=0 if known is None else known.follow_up_days,
        decide_from=None if known is None else known.decide_from,
        curve=plan.value.curve,
        effect=plan.effect,
        is_guarded=(
            None if isinstance(guardrail, NotEstimable) else guardrail.is_resolvable
        ),
        sentences=plan_sentences(plan, tag),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFigure:
    """One number of the plan with what it is."""

    words: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPanel:
    """The plan on the page; `chart` is empty when there is no curve."""

    figures: tuple[PlanFigure, ...]
    sentences: tuple[str, ...]
    warnings: tuple[str, ...]
    chart: Markup
    caption: str
    rows: tuple[tuple[str, str], ...]


def plan_panel(reader: Reader, plan: PlanOutline) -> PlanPanel:
    """Describe a plan."""
    return PlanPanel(
        figures=_figures(reader, plan),
        sentences=plan.sentences,
        warnings=_warnings(reader, plan),
        chart=_chart(reader, plan),
        caption=reader.gettext(
            "Smallest relative change of the value per visitor that is found, over the"
            " days of data. The dashed line is the change you look for."
        ),
        rows=_rows(reader, plan),
    )


def _figures(reader: Reader, plan: PlanOutline) -> tuple[PlanFigure, ...]:
    if plan.decide_from is None:
        return ()
    say, days = reader.gettext, reader.ngettext
    each = " / ".join(
        reader.format.integer(n) for n in sorted(set(plan.visitors), reverse=True)
    )
    return (
        PlanFigure(words=say("Visitors per variant"), value=each),
        PlanFigure(
            words=say("Send visitors"),
            value=days("{n} day", "{n} days", plan.traffic_days),
        ),
        PlanFigure(
            words=say("Then wait"),
            value=days("{n} day", "{n} days", plan.follow_up_days),
        ),
        PlanFigure(words=say("Decide on"), value=reader.format.day(plan.decide_from)),
    )


def _warnings(reader: Reader, plan: PlanOutline) -> tuple[str, ...]:
    found = []
    if plan.traffic_days + plan.follow_up_days > LONG_DAYS:
        found.append(
            reader.gettext(
                "This takes longer than 8 weeks. Test a bolder change, look for a"
                " larger difference, or send more visitors: seasons and deleted cookies"
                " blur long experiments."
            )
        )
    if plan.is_guarded is False:
        found.append(
            reader.gettext(
                "The allowed loss of first conversions cannot be told from chance with"
                " these visitors. Allow a larger loss (under “Method and limits”), or"
                " send more visitors."
            )
        )
    return tuple(found)


def _chart(reader: Reader, plan: PlanOutline) -> Markup:
    ceiling = _HEADROOM * plan.effect
    seen = [(day, effect) for day, effect in plan.curve if effect <= ceiling]
    if len(seen) < 2:
        return Markup("")
    days = Axis(low=seen[0][0], high=seen[-1][0])
    shown = [plan.effect, *(effect for _, effect in seen)]
    effects = Axis(low=0.6 * min(shown), high=1.1 * max(shown))
    total = plan.traffic_days + plan.follow_up_days
    curve = PlanCurve(
        points=tuple(seen),
        days=days,
        effects=effects,
        day_ticks=tuple(
            Tick(value=d, words=reader.ngettext("{n} day", "{n} days", round(d)))
            for d in days.ticks(3)
        ),
        effect_ticks=tuple(
            Tick(value=e, words=_percent(reader, e)) for e in effects.ticks(4)
        ),
        target=plan.effect,
        target_words=reader.gettext(
            "looked for: {effect}", effect=_percent(reader, plan.effect)
        ),
        decide_after=total if plan.decide_from is not None else None,
    )
    last_day, last_effect = seen[-1]
    return draw_plan_curve(
        "plan-curve",
        curve,
        title=reader.gettext("Days against the smallest change that is found"),
        description=reader.gettext(
            "After {first_day} days a change of {first} is found, after {last_day} days"
            " one of {last}.",
            first_day=reader.format.integer(seen[0][0]),
            first=_percent(reader, seen[0][1]),
            last_day=reader.format.integer(last_day),
            last=_percent(reader, last_effect),
        ),
    )


def _rows(reader: Reader, plan: PlanOutline) -> tuple[tuple[str, str], ...]:
    if not plan.curve:
        return ()
    last = len(plan.curve) - 1
    steps = min(_ROWS - 1, last)
    kept = [round(i * last / steps) for i in range(steps + 1)] if steps else [0]
    return tuple(
        (
            reader.format.integer(plan.curve[i][0]),
            _percent(reader, plan.curve[i][1]),
        )
        for i in kept
    )


def _percent(reader: Reader, share: float) -> str:
    is_whole = abs(100 * share - round(100 * share)) < 0.05
    return reader.format.percent(share, digits=0 if is_whole else 1)
