"""Answers that are calculated for the end of one day of an experiment."""

from datetime import date, datetime
from functools import partial
from typing import Protocol

from abtest.domain.experiment import ExperimentKey
from abtest.services.calculating import calculate
from abtest.store.protocol import Store
from abtest.web.api.report import read_day
from abtest.web.api.serving import Asked
from abtest.web.exchange import Reply, json_reply
from abtest.web.render.result_json import Json


class Describe(Protocol):
    """A function of a module: it is called in the process for the statistics."""

    def __call__(
        self, store: Store, key: ExperimentKey, *, now: datetime, as_of: date | None
    ) -> dict[str, Json]:
        """Describe the experiment as it was at the end of the day."""
        ...


def reply_for_day(asked: Asked, describe: Describe) -> Reply:
    """Answer with what is described of the experiment and day in the address."""
    task = partial(
        describe,
        key=ExperimentKey(asked.call.args["key"]),
        now=asked.now,
        as_of=read_day(asked),
    )
    return json_reply(calculate(asked.calculator, task))
