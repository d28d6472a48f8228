"""The CDNOW purchase log: 2,357 customers, first purchase in early 1997."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations
from pathlib import Path

from abtest.domain.events import Conversion, EventId, Exposure, Milliseconds
from abtest.domain.experiment import ExperimentKey, VariantKey, VisitorId
from abtest.domain.funnel import ConversionGoal, Repeat, StepKey
from abtest.domain.visitor import History, Outcome, OutcomePlan, date_to_day, resolve
from abtest.stats.moments import Cell, CellKey, Moments, Pair, PairKey

WINDOW = 60
FIRST_DAY = date(1997, 1, 1)
BUY = StepKey("purchase")
PLAN = OutcomePlan(
    goal=ConversionGoal(first=BUY, second=Repeat(step=BUY, min_gap_hours=24)),
    steps=(BUY,),
    time_zone="UTC",
    currency=None,
    order_cap=None,
)
_DAY = 86_400_000


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer and the days of all purchases, in order, with repeats."""

    id: str
    days: tuple[date, ...]

    @property
    def buys_again(self) -> bool:
        """Whether the full log has a purchase on a second day within the window."""
        last = self.days[0] + timedelta(days=WINDOW)
        return any(self.days[0] < day <= last for day in self.days)

    def known_to_buy_again(self, cut: date) -> bool:
        """The same as far as it can be seen on a day."""
        return any(self.days[0] < day <= cut for day in self.days) and self.buys_again


def read_customers(file: Path) -> list[Customer]:
    """Read the log: master id, id, day, number of CDs, dollars."""
    bought: dict[str, list[date]] = defaultdict(list)
    for line in file.read_text().splitlines():
        _, customer, day, _, _ = line.split()
        bought[customer].append(date.fromisoformat(day))
    return [Customer(id=c, days=tuple(sorted(d))) for c, d in sorted(bought.items())]


def outcome(customer: Customer, cut: date) -> Outcome:
    """Judge what is known of a customer on a day, by the product's own rules.

    The clock starts at the first purchase: it is exposure and first conversion.
    """
    (found,) = resolve(
        History(
            exposures=[
                Exposure(
                    id=EventId(b"exposure"),
                    at=_midnight(customer.days[0]),
                    visitor=VisitorId(customer.id),
                    experiment=ExperimentKey("cd"),
                    variant=VariantKey("a"),
                )
            ],
            conversions=list(_purchases(customer, cut)),
        ),
        PLAN,
    )
    return found


def _purchases(customer: Customer, cut: date) -> Iterator[Conversion]:
    for number, day in enumerate(customer.days):
        if day <= cut:
            yield Conversion(
                id=EventId(number.to_bytes(16)),
                at=_midnight(day),
                visitor=VisitorId(customer.id),
                step=BUY,
            )


def _midnight(day: date) -> Milliseconds:
    return Milliseconds(date_to_day(day) * _DAY)


def add_up(outcomes: Iterable[Outcome]) -> Moments:
    """Sum outcomes into sufficient statistics; counts alone."""
    cohorts: Counter[int] = Counter()
    cells: Counter[CellKey] = Counter()
    pairs: Counter[PairKey] = Counter()
    for found in outcomes:
        cohorts[found.day] += 1
        for entry in found.entries:
            cells[CellKey(found.day, entry.lag, entry.ordinal)] += entry.count
        for one, two in combinations(found.entries, 2):
            pair = PairKey(found.day, one.ordinal, one.lag, two.ordinal, two.lag)
            pairs[pair] += one.count * two.count
    return Moments(
        cohorts=dict(cohorts),
        cells={key: Cell(n, 0, 0) for key, n in cells.items()},
        pairs={key: Pair(n, 0, 0, 0) for key, n in pairs.items()},
    )


def share(customers: Sequence[Customer], cut: date | None = None) -> float:
    """Return who bought again: in truth, or as a plain count on the day of the cut."""
    if cut is None:
        again = sum(c.buys_again for c in customers)
    else:
        again = sum(c.known_to_buy_again(cut) for c in customers)
    return again / len(customers)


def arms_of(customers: Sequence[Customer], first: Iterable[int]) -> Mapping[str, str]:
    """Name the arm of each customer: those at the given places are in arm a."""
    chosen = set(first)
    return {c.id: "a" if i in chosen else "b" for i, c in enumerate(customers)}
