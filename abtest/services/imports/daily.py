"""Turns daily totals into synthetic visitors, each with their own events."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import blake2b

from abtest.domain.events import Milliseconds
from abtest.domain.experiment import VariantKey, VisitorId
from abtest.domain.funnel import StepKey
from abtest.services.imports.cells import BadCellError, is_empty, read_count
from abtest.services.imports.drafts import Draft, conversion, exposure
from abtest.services.imports.files import Row
from abtest.services.imports.reading import Reading
from abtest.services.imports.rows import LeftOut, LeftOutReason


@dataclass(frozen=True, slots=True, kw_only=True)
class _Day:
    """A checked row: how many visitors saw the variant, how many reached each step."""

    day: date
    variant: VariantKey
    exposures: int
    reached: tuple[tuple[str, int], ...]


class DailyRows:
    """One row per day and variant.

    Visitor number i of a day is the same for ever, and the first so many reach a
    step. So a later version of the file with more days, or with higher counts, adds
    what is new and repeats the rest. Who reaches a step reached those before it: the
    totals of a day cannot say more, and a funnel in which payments exceed enrolments
    is a mistake.
    """

    def __init__(self, reading: Reading, steps: Sequence[str]) -> None:
        """Take the mapped steps in the order of the funnel."""
        self._reading = reading
        self._steps = tuple(steps)

    def events(self, row: Row) -> Iterable[Draft] | LeftOut:
        """Return the day's events, or leave out a day nobody followed up."""
        read, times = self._reading.cells.text, self._reading.times
        day = times.read_day("day", read(row, "day"))
        exposed = read(row, "exposures")
        cells = [(step, read(row, f"step:{step}")) for step in self._steps]
        if is_empty(exposed) and not all(is_empty(text) for _, text in cells):
            remedy = "is empty although conversions are given; fill it in"
            raise BadCellError("exposures", exposed, "required", remedy)
        exposures = 0 if is_empty(exposed) else read_count("exposures", exposed)
        if is_empty(exposed) or any(is_empty(text) for _, text in cells):
            reason = LeftOutReason.NOT_FOLLOWED_UP
            return LeftOut(reason=reason, day=day, visitors=exposures)
        if not times.is_over(day):
            remedy = "is not over yet; import a day when it is"
            raise BadCellError("day", read(row, "day"), "at_in_future", remedy)
        variant = self._reading.variant(row)
        reached = tuple(self._reached(day, exposures, cells))
        return self._expanded(
            _Day(day=day, variant=variant, exposures=exposures, reached=reached)
        )

    def _reached(
        self, day: date, exposures: int, cells: Sequence[tuple[str, str]]
    ) -> Iterator[tuple[str, int]]:
        most, whose = exposures, "exposures"
        for step, text in cells:
            field = f"step:{step}"
            count = read_count(field, text)
            if count > most:
                remedy = f"is more than the {most} {whose} of the day; correct the row"
                raise BadCellError(field, text, "more_than_before", remedy)
            counted = day + timedelta(days=self._reading.delays.get(step, 0))
            if not self._reading.times.is_over(counted):
                remedy = f"cannot be known before {counted} is over; leave it empty"
                raise BadCellError(field, text, "at_in_future", remedy)
            most, whose = count, step
            yield step, count

    def _expanded(self, found: _Day) -> Iterator[Draft]:
        reading, key = self._reading, self._reading.experiment.key
        at = reading.times.noon(found.day)
        # Short names keep the index of visitors small; the digest keeps days and
        # variants of different experiments apart.
        source = blake2b(f"{key}\x1f{found.variant}".encode(), digest_size=6)
        prefix = f"daily-{source.hexdigest()}-{found.day}"
        places = [
            (step, count, self._moment(found.day, step))
            for step, count in found.reached
        ]
        for number in range(found.exposures):
            visitor = VisitorId(f"{prefix}-{number}")
            yield exposure(
                reading.names.single(at, "exposure", visitor),
                at,
                visitor=visitor,
                experiment=key,
                variant=found.variant,
            )
            for step, count, when in places:
                if number < count:
                    yield conversion(
                        reading.names.single(when, "conversion", visitor, step),
                        when,
                        StepKey(step),
                        visitor=visitor,
                    )

    def _moment(self, day: date, step: str) -> Milliseconds:
        delay = timedelta(days=self._reading.delays.get(step, 0))
        return self._reading.times.noon(day + delay)
