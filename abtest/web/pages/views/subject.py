"""What is tested: the idea, the variants, the conversions and their worth."""

from dataclasses import dataclass

from abtest.domain.funnel import CountWeights, MoneyWeights, Repeat
from abtest.services.report import ExperimentReport
from abtest.services.variant_report import StepResult
from abtest.web.pages.views.figures import Figure
from abtest.web.pages.views.times import day_in_zone
from abtest.web.render.charts.svg import SERIES
from abtest.web.render.reader import Reader
from abtest.web.render.words import KINDS, quoted, second_name, step_name


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectVariant:
    """One variant and its share of the traffic."""

    name: str
    role: str
    series: str
    share: Figure
    visitors: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Everything a stranger needs before the first number."""

    hypothesis: str
    variants: tuple[SubjectVariant, ...]
    first: str
    second: str
    worth: str
    window: str
    since: str


def subject_view(reader: Reader, report: ExperimentReport) -> Subject:
    """Describe what is tested."""
    say = reader.gettext
    return Subject(
        hypothesis=report.hypothesis,
        variants=_variants(reader, report),
        first=_with_kind(reader, report),
        second=_second(reader, report),
        worth=worth_sentence(reader, report),
        window=reader.ngettext(
            "Each visitor is followed for {n} day after the first visit.",
            "Each visitor is followed for {n} days after the first visit.",
            report.window_days,
        ),
        since=(
            say("Not started yet")
            if report.started_at is None
            else day_in_zone(reader, report.started_at, report.time_zone)
        ),
    )


def worth_sentence(reader: Reader, report: ExperimentReport) -> str:
    """Say what a first and a second conversion are worth."""
    number = reader.format.plain
    match report.weights:
        case CountWeights(first=first, second=second):
            return reader.gettext(
                "A first conversion counts {first}, a second one {second} points.",
                first=number(first),
                second=number(second),
            )
        case MoneyWeights(first_margin=1.0, second_margin=1.0, currency=currency):
            return reader.gettext(
                "Revenue decides, in {currency}: both conversions count in full.",
                currency=currency,
            )
        case MoneyWeights(first_margin=first, second_margin=second, currency=currency):
            return reader.gettext(
                "Revenue decides, in {currency}: that of a first conversion counts"
                " {first}-fold, that of a second one {second}-fold.",
                currency=currency,
                first=number(first),
                second=number(second),
            )


def _variants(reader: Reader, report: ExperimentReport) -> tuple[SubjectVariant, ...]:
    return tuple(
        SubjectVariant(
            name=variant.name or str(variant.key),
            role=(
                reader.gettext("control")
                if variant.is_control
                else reader.gettext("variant")
            ),
            series=f"series-{index % SERIES}",
            share=Figure(
                reader.format.percent(variant.planned_share, digits=0),
                f"variants.{index}.planned_share",
                variant.planned_share,
            ),
            visitors=Figure(
                reader.format.integer(variant.visitors),
                f"variants.{index}.visitors",
                variant.visitors,
            ),
        )
        for index, variant in enumerate(report.variants)
    )


def _with_kind(reader: Reader, report: ExperimentReport) -> str:
    name = quoted(reader, step_name(report, report.first_step))
    step = _step(report)
    return f"{name} ({reader.gettext(KINDS[step.kind])})" if step else name


def _step(report: ExperimentReport) -> StepResult | None:
    steps = report.variants[0].steps
    return next((s for s in steps if s.key == report.first_step), None)


def _second(reader: Reader, report: ExperimentReport) -> str:
    name = second_name(reader, report)
    match report.second:
        case Repeat(min_gap_hours=hours) if hours > 0:
            return reader.gettext(
                "{second}, at least {hours} hours after the one before",
                second=name,
                hours=reader.format.plain(hours),
            )
        case _:
            return name
