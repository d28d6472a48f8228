"""What people did to the experiment, newest first."""

from collections.abc import Mapping
from dataclasses import dataclass

from abtest.domain.experiment import Action, Experiment
from abtest.services.experiments import NOTE
from abtest.web.pages.views.times import moment_in_zone
from abtest.web.render.reader import Reader
from abtest.web.render.translate import mark

_ACTIONS: Mapping[str, str] = {
    Action.START.value: mark("started"),
    Action.PAUSE.value: mark("paused"),
    Action.RESUME.value: mark("resumed"),
    Action.CLOSE.value: mark("closed to new visitors"),
    Action.STOP.value: mark("stopped"),
    Action.DECIDE.value: mark("decided"),
    Action.ARCHIVE.value: mark("archived"),
    NOTE: mark("noted"),
    "new phase": mark("traffic changed:"),
    "weights changed": mark("worth changed:"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One thing that was done.

    Attributes:
        by: who did it; empty where older versions did not note it.
        report: fingerprint of the report that was read.
    """

    at: str
    what: str
    detail: str
    by: str
    report: str


def decision_log(reader: Reader, experiment: Experiment) -> tuple[LogLine, ...]:
    """Describe the log of an experiment."""
    return tuple(
        LogLine(
            at=moment_in_zone(reader, entry.at, experiment.time_zone),
            what=reader.gettext(_ACTIONS.get(entry.action, entry.action)),
            detail=entry.detail,
            by=entry.by.removeprefix("user "),
            report=entry.report,
        )
        for entry in sorted(experiment.log, key=lambda e: e.at, reverse=True)
    )
