"""The page on which an experiment is decided."""

from collections.abc import Mapping
from dataclasses import dataclass

from abtest.domain.experiment import Experiment
from abtest.services.report import ExperimentReport
from abtest.web.pages.views.health_box import HealthBox, health_box
from abtest.web.pages.views.set_up_problems import Problem, summary
from abtest.web.pages.views.verdict_panel import VerdictPanel, verdict_panel
from abtest.web.render.reader import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantChoice:
    """One variant that can be chosen; none is chosen beforehand."""

    key: str
    words: str
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideView:
    """What is known, and the choice."""

    key: str
    name: str
    verdict: VerdictPanel
    health: HealthBox
    choices: tuple[VariantChoice, ...]
    note: str
    has_seen: bool
    problems: Mapping[str, str]
    summary: tuple[Problem, ...]


def decide_view(
    reader: Reader,
    experiment: Experiment,
    report: ExperimentReport,
    *,
    chosen: str,
    note: str,
    has_seen: bool,
    problems: Mapping[str, str],
) -> DecideView:
    """Describe the page."""
    control = experiment.control
    words = {v.key: v.name for v in experiment.variants}
    words[control.key] = reader.gettext(
        "Keep {variant} (control)", variant=control.name
    )
    return DecideView(
        key=experiment.key,
        name=experiment.name,
        verdict=verdict_panel(reader, report),
        health=health_box(reader, report),
        choices=tuple(
            VariantChoice(
                key=v.key,
                words=words[v.key]
                if v.key == control.key
                else reader.gettext("Switch to {variant}", variant=v.name),
                is_chosen=v.key == chosen,
            )
            for v in experiment.variants
        ),
        note=note,
        has_seen=has_seen,
        problems=problems,
        summary=summary(problems),
    )
