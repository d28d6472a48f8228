"""What stands at the top of every page of one experiment."""

from dataclasses import dataclass
from datetime import date

from abtest.domain.experiment import Experiment
from abtest.web.render.reader import Reader
from abtest.web.render.words import STATUSES


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """Name and state of an experiment; `as_of` is empty where no day is counted."""

    key: str
    name: str
    status: str
    status_word: str
    as_of: str


def heading(
    reader: Reader, experiment: Experiment, as_of: date | None = None
) -> Heading:
    """Describe the experiment, counted up to a day."""
    return Heading(
        key=str(experiment.key),
        name=experiment.name or str(experiment.key),
        status=experiment.status.value,
        status_word=reader.gettext(STATUSES[experiment.status]),
        as_of=(
            "" if as_of is None or not experiment.phases else reader.format.day(as_of)
        ),
    )
