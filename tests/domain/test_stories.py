"""What becomes of a visitor, told as small stories.

A line reads: day, time (UTC), who, what happened. `shop` is the trusted back end;
everybody else is a browser. Day 0 is 1 June 2026.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from abtest.domain.events import Conversion, EventId, Exposure, Milliseconds, Refund
from abtest.domain.experiment import CustomerId, ExperimentKey, VariantKey, VisitorId
from abtest.domain.funnel import ConversionGoal, LaterStep, Repeat, StepKey
from abtest.domain.visitor import History, Outcome, OutcomePlan, resolve

DAY_0 = datetime(2026, 6, 1, tzinfo=UTC)
BUY, UPSELL = StepKey("buy"), StepKey("upsell")
TWICE = ConversionGoal(first=BUY, second=Repeat(step=BUY))
THIRD = ConversionGoal(first=BUY, second=Repeat(step=BUY, ordinal=3))
A_DAY_LATER = ConversionGoal(first=BUY, second=Repeat(step=BUY, min_gap_hours=24))
THIRD_DAY = ConversionGoal(
    first=BUY, second=Repeat(step=BUY, ordinal=3, min_gap_hours=24)
)
THEN_UPSELL = ConversionGoal(first=BUY, second=LaterStep(step=UPSELL))

LINE = re.compile(
    r"(?P<day>-?\d+) (?P<time>\d\d:\d\d) (?P<who>\w+) (?P<verb>sees|buy|upsell|signup"
    r"|refunds)(?: (?P<what>[\w.]+))?(?: (?P<currency>[A-Z]{3}))?(?: #(?P<order>\w+))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A story and its end: a line per entry, and the lag of each step reached."""

    events: tuple[str, ...]
    ends: tuple[str, ...]
    goal: ConversionGoal = TWICE
    steps: dict[str, int] = field(default_factory=lambda: {"buy": 0})
    order_cap: int | None = None
    currency: str | None = "EUR"


def cents(euros: str | None) -> int | None:
    return None if euros is None else round(float(euros) * 100)


def read(lines: tuple[str, ...]) -> History:
    exposures: list[Exposure] = []
    conversions: list[Conversion] = []
    refunds: list[Refund] = []
    for number, line in enumerate(lines):
        found = LINE.fullmatch(line)
        assert found, f"not a line of a story: {line}"
        hours, minutes = map(int, found["time"].split(":"))
        day = timedelta(days=int(found["day"]), hours=hours, minutes=minutes)
        at = Milliseconds(int((DAY_0 + day).timestamp()) * 1000)
        event_id = EventId(number.to_bytes(16))
        who, what, trusted = found["who"], found["what"], found["who"] == "shop"
        match found["verb"]:
            case "sees":
                exposures.append(
                    Exposure(
                        id=event_id,
                        at=at,
                        visitor=VisitorId(who),
                        experiment=ExperimentKey("home"),
                        variant=VariantKey(what),
                    )
                )
            case "refunds":
                refunds.append(
                    Refund(
                        id=event_id,
                        at=at,
                        order=found["order"],
                        value=None if what == "all" else cents(what),
                        currency=found["currency"],
                        trusted=trusted,
                    )
                )
            case step:
                conversions.append(
                    Conversion(
                        id=event_id,
                        at=at,
                        visitor=None if trusted else VisitorId(who),
                        customer=CustomerId("anna") if trusted else None,
                        step=StepKey(step),
                        value=cents(what),
                        currency=found["currency"],
                        order=found["order"],
                        trusted=trusted,
                    )
                )
    return History(exposures=exposures, conversions=conversions, refunds=refunds)


def told(outcome: Outcome) -> tuple[str, ...]:
    names = {1: "first", 2: "second"}
    return tuple(
        f"{names[entry.ordinal]}{'' if entry.count else ' refund'}"
        f" day {entry.lag}: {entry.amount / 100:.2f}"
        for entry in outcome.entries
    )


def judge(story: Story) -> tuple[Outcome, ...]:
    plan = OutcomePlan(
        goal=story.goal,
        steps=(StepKey("signup"), BUY, UPSELL),
        time_zone="UTC",
        currency=story.currency,
        order_cap=story.order_cap,
    )
    return resolve(read(story.events), plan)


SEES = "0 10:00 laptop sees b"

STORIES = {
    "only looks": Story(events=(SEES,), ends=(), steps={}),
    "buys": Story(
        events=(SEES, "0 10:05 laptop buy 50 EUR"),
        ends=("first day 0: 50.00",),
    ),
    "buys before seeing the page": Story(
        events=("0 09:59 laptop buy 50 EUR", SEES), ends=(), steps={}
    ),
    "buys before and after": Story(
        events=("0 09:59 laptop buy 50 EUR", SEES, "1 10:00 laptop buy 20 EUR"),
        ends=("first day 1: 20.00",),
        steps={"buy": 1},
    ),
    "buys in the same instant": Story(
        events=(SEES, "0 10:00 laptop buy 50 EUR"),
        ends=("first day 0: 50.00",),
    ),
    "sees the page again later": Story(
        events=(SEES, "3 10:00 laptop sees b", "4 10:00 laptop buy 50 EUR"),
        ends=("first day 4: 50.00",),
        steps={"buy": 4},
    ),
    "buys three times; two count": Story(
        events=(
            SEES,
            "0 10:05 laptop buy 50 EUR",
            "9 10:05 laptop buy 30 EUR",
            "9 10:06 laptop buy 99 EUR",
        ),
        ends=("first day 0: 50.00", "second day 9: 30.00"),
    ),
    "the third purchase is wanted": Story(
        goal=THIRD,
        events=(
            SEES,
            "0 10:05 laptop buy 50 EUR",
            "9 10:05 laptop buy 30 EUR",
            "12 10:06 laptop buy 99 EUR",
        ),
        ends=("first day 0: 50.00", "second day 12: 99.00"),
    ),
    "the third purchase is wanted and there are two": Story(
        goal=THIRD,
        events=(SEES, "0 10:05 laptop buy 50 EUR", "9 10:05 laptop buy 30 EUR"),
        ends=("first day 0: 50.00",),
    ),
    "too soon after the first; a day later counts": Story(
        goal=A_DAY_LATER,
        events=(
            SEES,
            "0 10:05 laptop buy 50 EUR",
            "1 10:04 laptop buy 30 EUR",
            "1 10:05 laptop buy 40 EUR",
        ),
        ends=("first day 0: 50.00", "second day 1: 40.00"),
    ),
    "the gap is to the purchase counted before": Story(
        goal=THIRD_DAY,
        events=(
            SEES,
            "0 10:05 laptop buy 50 EUR",
            "1 12:00 laptop buy 30 EUR",
            "1 20:00 laptop buy 40 EUR",
            "3 10:00 laptop buy 60 EUR",
        ),
        ends=("first day 0: 50.00", "second day 3: 60.00"),
    ),
    "upsell after the purchase": Story(
        goal=THEN_UPSELL,
        events=(SEES, "0 11:00 laptop buy 9 EUR", "2 11:00 laptop upsell 99 EUR"),
        ends=("first day 0: 9.00", "second day 2: 99.00"),
        steps={"buy": 0, "upsell": 2},
    ),
    "upsell before the purchase": Story(
        goal=THEN_UPSELL,
        events=(SEES, "0 11:00 laptop upsell 99 EUR", "2 11:00 laptop buy 9 EUR"),
        ends=("first day 2: 9.00",),
        steps={"buy": 2, "upsell": 0},
    ),
    "upsell without a purchase": Story(
        goal=THEN_UPSELL,
        events=(SEES, "0 11:00 laptop upsell 99 EUR"),
        ends=(),
        steps={"upsell": 0},
    ),
    "upsell in the same minute": Story(
        goal=THEN_UPSELL,
        events=(SEES, "0 11:00 laptop upsell 99 EUR", "0 11:00 laptop buy 9 EUR"),
        ends=("first day 0: 9.00", "second day 0: 99.00"),
        steps={"buy": 0, "upsell": 0},
    ),
    "sign-up on the way": Story(
        events=(SEES, "1 10:00 laptop signup", "2 10:00 laptop signup"),
        ends=(),
        steps={"signup": 1},
    ),
    "browser and shop report one order; the shop knows its value": Story(
        events=(
            SEES,
            "0 10:05 laptop buy 50 EUR #A1",
            "1 02:00 shop buy 47.50 EUR #A1",
        ),
        ends=("first day 0: 47.50",),
    ),
    "the shop was first and a browser cannot overrule it": Story(
        events=(SEES, "0 10:05 shop buy 47.50 EUR #A1", "0 10:06 laptop buy 9 EUR #A1"),
        ends=("first day 0: 47.50",),
    ),
    "the browser knew no value, the shop adds it": Story(
        events=(SEES, "0 10:05 laptop buy #A1", "1 02:00 shop buy 47.50 EUR #A1"),
        ends=("first day 0: 47.50",),
    ),
    "the shop adds nothing": Story(
        events=(SEES, "0 10:05 laptop buy 50 EUR #A1", "1 02:00 shop buy #A1"),
        ends=("first day 0: 50.00",),
    ),
    "two shops disagree; the earlier is believed": Story(
        events=(SEES, "0 10:05 shop buy 50 EUR #A1", "1 02:00 shop buy 60 EUR #A1"),
        ends=("first day 0: 50.00",),
    ),
    "the shop knew no value, the browser adds it": Story(
        events=(SEES, "0 10:05 shop buy #A1", "0 10:06 laptop buy 9 EUR #A1"),
        ends=("first day 0: 9.00",),
    ),
    "a second report of the shop changes nothing": Story(
        events=(
            SEES,
            "0 10:05 laptop buy 50 EUR #A1",
            "1 02:00 shop buy 47.50 EUR #A1",
            "2 02:00 shop buy 60 EUR #A1",
        ),
        ends=("first day 0: 47.50",),
    ),
    "the shop says it was another currency": Story(
        events=(SEES, "0 10:05 laptop buy 50 EUR #A1", "1 02:00 shop buy 55 USD #A1"),
        ends=("first day 0: 0.00",),
    ),
    "one order number at two steps is two conversions": Story(
        goal=THEN_UPSELL,
        events=(SEES, "0 11:00 laptop buy 9 EUR #A1", "0 11:01 laptop upsell #A1"),
        ends=("first day 0: 9.00", "second day 0: 0.00"),
        steps={"buy": 0, "upsell": 0},
    ),
    "an order placed before the page was seen stays out": Story(
        events=("0 09:00 laptop buy 50 EUR #A1", SEES, "0 11:00 shop buy 50 EUR #A1"),
        ends=(),
        steps={},
    ),
    "everything is sent back": Story(
        events=(SEES, "0 11:00 laptop buy 50 EUR #A1", "5 11:00 shop refunds all #A1"),
        ends=("first day 0: 50.00", "first refund day 5: -50.00"),
    ),
    "a part is sent back, then another": Story(
        events=(
            SEES,
            "0 11:00 laptop buy 50 EUR #A1",
            "5 11:00 shop refunds 20 EUR #A1",
            "7 11:00 shop refunds 5 EUR #A1",
        ),
        ends=(
            "first day 0: 50.00",
            "first refund day 5: -20.00",
            "first refund day 7: -5.00",
        ),
    ),
    "a refund larger than the order": Story(
        events=(
            SEES,
            "0 11:00 laptop buy 50 EUR #A1",
            "5 11:00 shop refunds 80 EUR #A1",
            "6 11:00 shop refunds all #A1",
        ),
        ends=("first day 0: 50.00", "first refund day 5: -50.00"),
    ),
    "a refund on the day of purchase": Story(
        events=(
            SEES,
            "0 11:00 laptop buy 50 EUR #A1",
            "0 20:00 shop refunds 20 EUR #A1",
        ),
        ends=("first day 0: 30.00",),
    ),
    "a refund dated before the purchase": Story(
        events=(
            SEES,
            "1 11:00 shop refunds 20 EUR #A1",
            "3 11:00 laptop buy 50 EUR #A1",
        ),
        ends=("first day 3: 30.00",),
        steps={"buy": 3},
    ),
    "a refund of another order": Story(
        events=(SEES, "0 11:00 laptop buy 50 EUR #A1", "5 11:00 shop refunds all #B2"),
        ends=("first day 0: 50.00",),
    ),
    "a refund, but the purchase had no order number": Story(
        events=(SEES, "0 11:00 laptop buy 50 EUR", "5 11:00 shop refunds all #A1"),
        ends=("first day 0: 50.00",),
    ),
    "a refund in another currency": Story(
        events=(
            SEES,
            "0 11:00 laptop buy 50 EUR #A1",
            "5 11:00 shop refunds 20 USD #A1",
        ),
        ends=("first day 0: 50.00",),
    ),
    "a refund without a currency": Story(
        events=(SEES, "0 11:00 laptop buy 50 EUR #A1", "5 11:00 shop refunds 20 #A1"),
        ends=("first day 0: 50.00", "first refund day 5: -20.00"),
    ),
    "the second order is sent back": Story(
        events=(
            SEES,
            "0 11:00 laptop buy 50 EUR #A1",
            "3 11:00 laptop buy 30 EUR #A2",
            "5 11:00 shop refunds all #A2",
        ),
        ends=(
            "first day 0: 50.00",
            "second day 3: 30.00",
            "second refund day 5: -30.00",
        ),
    ),
    "a huge order counts up to the cap": Story(
        order_cap=10_000,
        events=(SEES, "0 11:00 laptop buy 5000 EUR #A1"),
        ends=("first day 0: 100.00",),
    ),
    "a refund first eats what lies above the cap": Story(
        order_cap=10_000,
        events=(
            SEES,
            "0 11:00 laptop buy 300 EUR #A1",
            "2 11:00 shop refunds 50 EUR #A1",
            "4 11:00 shop refunds 180 EUR #A1",
        ),
        ends=("first day 0: 100.00", "first refund day 4: -30.00"),
    ),
    "the wrong currency is a conversion without a value": Story(
        events=(SEES, "0 11:00 laptop buy 50 USD #A1", "5 11:00 shop refunds all #A1"),
        ends=("first day 0: 0.00",),
    ),
    "no currency means the experiment's": Story(
        events=(SEES, "0 11:00 laptop buy 50"),
        ends=("first day 0: 50.00",),
    ),
    "an experiment without money": Story(
        currency=None,
        events=(SEES, "0 11:00 laptop buy 50"),
        ends=("first day 0: 0.00",),
    ),
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())
def test_story(story: Story) -> None:
    (outcome,) = judge(story)
    assert (outcome.visitor, outcome.variant) == ("laptop", "b")
    assert outcome.variants_seen == 1
    assert told(outcome) == story.ends
    assert dict(outcome.steps) == story.steps
