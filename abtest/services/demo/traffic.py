"""Generates the events of one experiment of the demo."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import TypeVar
from zoneinfo import ZoneInfo

import numpy as np

from abtest.domain.assignment import choose_variant
from abtest.domain.events import (
    Conversion,
    Event,
    Exposure,
    Identity,
    Milliseconds,
    Refund,
)
from abtest.domain.experiment import CustomerId, Experiment, VariantKey, VisitorId
from abtest.domain.funnel import StepKey
from abtest.domain.visitor import to_milliseconds
from abtest.services.checks import AttributeValue, attributes_json
from abtest.services.demo import shapes
from abtest.services.demo.shapes import Pace, Stage
from abtest.services.demo.story import Story
from abtest.services.imports.identity import EventNames

REFUNDED = 0.03
"""Share of orders that are sent back, half of them in part."""

OTHER_DEVICE = 0.02
"""Share of customers who sign in on a second device that saw the page too."""

BUYS_AGAIN = 0.6
"""Share of those who came back that buy once more, each time anew."""

TOLD_BY_SHOP = 0.5
"""Share of what customers do later that the shop tells, without the browser."""


_PHONE = "mobile"

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """The days on which an experiment takes visitors, and the present moment."""

    first: date
    last: date
    today: date
    now: datetime

    @classmethod
    def of(cls, story: Story, now: datetime) -> "Timetable | None":
        """Take the days from the story; None for a draft."""
        if story.began is None:
            return None
        today = now.astimezone(ZoneInfo(story.definition.time_zone)).date()
        return cls(
            first=today - timedelta(days=story.began),
            last=today - timedelta(days=story.closed or 0),
            today=today,
            now=now,
        )


def generate(
    story: Story, experiment: Experiment, timetable: Timetable, *, seed: int
) -> Iterator[Event]:
    """Give the events, visitor by visitor; none lies after the present moment.

    Args:
        experiment: running, so that visitors are assigned as in real life.
        seed: the same seed, experiment and day give the same events.
    """
    rng = np.random.default_rng(seed)
    regulars = np.random.default_rng([seed, 1])
    crowd = _Crowd(story, experiment, rng, regulars, last=timetable.last)
    latest = to_milliseconds(timetable.now)
    day = timetable.first
    while day <= timetable.last:
        for _ in range(shapes.visitors_on(day, story.visitors_per_day, crowd.rng)):
            yield from (event for event in crowd.visit(day) if event.at <= latest)
        day += timedelta(days=1)


class _Crowd:
    """Sends one visitor after the other."""

    def __init__(
        self,
        story: Story,
        experiment: Experiment,
        rng: np.random.Generator,
        regulars: np.random.Generator,
        *,
        last: date,
    ) -> None:
        self.rng = rng
        self._regulars = regulars
        self._last = last
        self._story = story
        self._experiment = experiment
        self._zone = ZoneInfo(experiment.time_zone)
        self._names = EventNames()
        self._number = 0

    def visit(self, day: date) -> Iterator[Event]:
        """Let the next visitor see the page and do what follows from it."""
        self._number += 1
        visitor = VisitorId(f"{self._experiment.key}-{self._number}")
        at = self._moment(day, shapes.second_of_day(self.rng))
        variant = choose_variant(self._experiment, visitor).variant
        lost = self._story.lost.get(variant, 0.0)
        if lost and self.rng.random() < lost:
            return
        device = _drawn(shapes.DEVICES, self.rng)
        yield self._exposure(visitor, variant, at, device=device)
        journey = self._story.journeys[variant]
        if device == _PHONE:
            journey = self._story.on_phones.get(variant, journey)
        yield from self._journey(journey, visitor, day, at)

    def _journey(
        self,
        stages: tuple[Stage, ...],
        visitor: VisitorId,
        day: date,
        at: Milliseconds,
    ) -> Iterator[Event]:
        customer: CustomerId | None = None
        for number, stage in enumerate(stages):
            when = self._reached(stage, day, at)
            if when is None:
                return
            day, at = when
            by_shop = customer is not None and self.rng.random() < TOLD_BY_SHOP
            if stage.value is not None and customer is None:
                customer = CustomerId(f"customer-{visitor}")
                yield from self._second_device(visitor, customer, day)
            order = f"{visitor}-{number}" if stage.value is not None else None
            paid = shapes.order_value(stage.value, self.rng) if stage.value else None
            yield Conversion(
                id=self._names.single(at, "conversion", visitor, stage.step),
                at=at,
                visitor=None if by_shop else visitor,
                customer=customer,
                step=StepKey(stage.step),
                value=paid,
                currency=None if paid is None else self._experiment.currency,
                order=order,
                trusted=True,
            )
            if order is not None and paid is not None:
                yield from self._refund(order, paid, day)
        if customer is not None and stages[-1].pace is Pace.LATER:
            yield from self._come_back(stages[-1], visitor, customer, day)

    def _come_back(
        self, stage: Stage, visitor: VisitorId, customer: CustomerId, day: date
    ) -> Iterator[Conversion]:
        """Let a customer who came back buy again and again, as the shop tells."""
        number = 0
        while stage.value and self._regulars.random() < BUYS_AGAIN:
            number += 1
            day += timedelta(days=max(1, shapes.gap(self._regulars)))
            at = self._moment(day, shapes.second_of_day(self._regulars))
            yield Conversion(
                id=self._names.single(at, "conversion", visitor, stage.step),
                at=at,
                customer=customer,
                step=StepKey(stage.step),
                value=shapes.order_value(stage.value, self._regulars),
                currency=self._experiment.currency,
                order=f"{visitor}-again-{number}",
                trusted=True,
            )

    def _reached(
        self, stage: Stage, day: date, at: Milliseconds
    ) -> tuple[date, Milliseconds] | None:
        """Return when the stage is reached, or None when it never is."""
        rng = self.rng
        is_reached = rng.random() < stage.rate
        match stage.pace:
            case Pace.AT_ONCE if is_reached:
                return day, Milliseconds(at + 1000 * shapes.at_once(rng))
            case Pace.SOON if is_reached:
                days, seconds = shapes.soon(rng)
                if days == 0:
                    return day, Milliseconds(at + 1000 * seconds)
            case Pace.LATER if is_reached:
                days = shapes.gap(rng)
            case Pace.LATER if rng.random() < shapes.LATER_SHARE:
                days = shapes.later_gap(rng)
            case _:
                return None
        later = day + timedelta(days=days)
        return later, self._moment(later, shapes.second_of_day(rng))

    def _second_device(
        self, visitor: VisitorId, customer: CustomerId, day: date
    ) -> Iterator[Event]:
        """Now and then a customer signs in where they saw the page as a stranger."""
        seen = day + timedelta(days=1)
        if self.rng.random() >= OTHER_DEVICE or seen > self._last:
            return
        other = VisitorId(f"{visitor}-phone")
        at = self._moment(seen, shapes.second_of_day(self.rng))
        variant = choose_variant(self._experiment, other).variant
        yield self._exposure(other, variant, at, device=_PHONE)
        signed_in = Milliseconds(at + 60_000)
        yield Identity(
            id=self._names.single(signed_in, "identify", other),
            at=signed_in,
            visitor=other,
            customer=customer,
            trusted=True,
        )

    def _refund(self, order: str, paid: int, day: date) -> Iterator[Refund]:
        if self.rng.random() >= REFUNDED:
            return
        back = day + timedelta(days=int(self.rng.integers(4, 20)))
        at = self._moment(back, shapes.second_of_day(self.rng))
        is_whole = self.rng.random() < 0.5
        yield Refund(
            id=self._names.single(at, "refund", order),
            at=at,
            order=order,
            value=None if is_whole else paid // 3,
            currency=None if is_whole else self._experiment.currency,
            trusted=True,
        )

    def _exposure(
        self, visitor: VisitorId, variant: VariantKey, at: Milliseconds, *, device: str
    ) -> Exposure:
        return Exposure(
            id=self._names.single(at, "exposure", visitor),
            at=at,
            visitor=visitor,
            experiment=self._experiment.key,
            variant=variant,
            attributes_json=_attributes(device, _drawn(shapes.SOURCES, self.rng)),
            trusted=True,
        )

    def _moment(self, day: date, second: int) -> Milliseconds:
        return Milliseconds(_midnight(day, self._zone) + 1000 * second)


@lru_cache(maxsize=1024)
def _midnight(day: date, zone: ZoneInfo) -> Milliseconds:
    return to_milliseconds(datetime.combine(day, time(), zone))


@lru_cache
def _attributes(device: str, source: str | None) -> str | None:
    known: dict[str, AttributeValue] = {"device": device}
    if source is not None:
        known["source"] = source
    return attributes_json("/attributes", known)


def _drawn(shares: tuple[tuple[T, float], ...], rng: np.random.Generator) -> T:
    """Draw one of the things by their shares, which add up to 1."""
    left = rng.random()
    for thing, share in shares:
        left -= share
        if left < 0:
            return thing
    return shares[-1][0]
