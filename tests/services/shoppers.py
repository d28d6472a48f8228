"""Single visitors with their attributes and purchases, for tests of the analysis."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from abtest.domain.events import Conversion, Event, EventId, Exposure
from abtest.domain.experiment import VariantKey, VisitorId
from abtest.domain.visitor import to_milliseconds
from tests.services.traffic import BUY, KEY, START


@dataclass(frozen=True, slots=True, kw_only=True)
class Shopper:
    """One visitor.

    Attributes:
        day: of the exposure, after START.
        orders: earlier orders, told with the exposure; None when not known.
        bought: lag in days and value in minor units of each purchase.
    """

    variant: str
    day: int = 0
    orders: float | None = None
    bought: tuple[tuple[int, int], ...] = ()


def visits(shoppers: Iterable[Shopper]) -> list[Event]:
    """Return the events of the shoppers."""
    return list(_visits(shoppers))


def _visits(shoppers: Iterable[Shopper]) -> Iterator[Event]:
    number = 0
    for index, shopper in enumerate(shoppers):
        visitor = VisitorId(f"shopper-{index}")
        at = START + timedelta(days=shopper.day, hours=9)
        told = None if shopper.orders is None else f'{{"orders": {shopper.orders}}}'
        number += 1
        yield Exposure(
            id=EventId(number.to_bytes(16, "big")),
            at=to_milliseconds(at),
            visitor=visitor,
            experiment=KEY,
            variant=VariantKey(shopper.variant),
            attributes_json=told,
            trusted=True,
        )
        for lag, value in shopper.bought:
            number += 1
            yield Conversion(
                id=EventId(number.to_bytes(16, "big")),
                at=to_milliseconds(at + timedelta(days=lag, minutes=5)),
                visitor=visitor,
                step=BUY,
                value=value,
                currency="EUR",
                trusted=True,
            )


def shop(
    variant: str, visitors: int, *, seed: int, rate: float, days: int = 10
) -> list[Shopper]:
    """Return random visitors; those with earlier orders buy more often."""
    rng = np.random.default_rng(seed)
    shoppers = []
    for _ in range(visitors):
        orders = float(rng.poisson(1.5)) / 4
        bought: tuple[tuple[int, int], ...] = ()
        if rng.random() < rate * (1 + 2 * orders):
            bought = ((int(rng.integers(0, 4)), int(rng.lognormal(8, 0.6))),)
            if rng.random() < 0.4:
                later = bought[0][0] + int(rng.integers(1, 12))
                bought += ((later, int(rng.lognormal(8, 0.6))),)
        shoppers.append(
            Shopper(
                variant=variant,
                day=int(rng.integers(0, days)),
                orders=orders if rng.random() < 0.9 else None,
                bought=bought,
            )
        )
    return shoppers


def table(shoppers: Sequence[Shopper]) -> NDArray[np.float64]:
    """Return a row for each visitor: c1, c2, r1, r2 and the covariate."""
    return np.array(
        [
            (
                len(s.bought) > 0,
                len(s.bought) > 1,
                *([value for _, value in s.bought[:2]] + [0, 0])[:2],
                s.orders or 0.0,
            )
            for s in shoppers
        ],
        dtype=float,
    )
