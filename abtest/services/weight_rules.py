"""What the worth of conversions must satisfy, and the weights that it makes."""

import json

from abtest.domain.funnel import ConversionWeights, CountWeights, MoneyWeights
from abtest.domain.money import is_currency
from abtest.services.checks import shown
from abtest.services.complaints import Complaints
from abtest.services.definition import WeightsDefinition

MAX_WEIGHT = 1e9


def check_weights(c: Complaints, w: WeightsDefinition) -> None:
    """Points or money, not both, and not all of them zero."""
    if w.currency is not None and not is_currency(w.currency):
        c.add(
            "/weights/currency",
            "invalid_currency",
            f"currency {shown(w.currency)} is none; write it as three capital"
            ' letters, for example "EUR"',
        )
    points = {"first": w.first, "second": w.second}
    margins = {"first_margin": w.first_margin, "second_margin": w.second_margin}
    used, unused = (margins, points) if w.money else (points, margins)
    for name, value in unused.items():
        if value is not None:
            c.add(
                f"/weights/{name}",
                "contradiction",
                f"{name} does not go with money {json.dumps(w.money)};"
                " weigh by points or by money, not both",
            )
    for name, value in used.items():
        if value is not None and not abs(value) <= MAX_WEIGHT:
            c.add(
                f"/weights/{name}",
                "invalid_weight",
                f"{name} is {value:g}; use a finite number",
            )
    if not any(1.0 if value is None else value for value in used.values()):
        c.add(
            f"/weights/{next(iter(used))}",
            "invalid_weight",
            "both weights are 0; at least one conversion must be worth something",
        )
    if w.money and w.currency is None:
        c.add(
            "/weights/currency",
            "required",
            'currency is missing; money needs one, for example "EUR"',
        )


def to_weights(w: WeightsDefinition) -> ConversionWeights:
    """Return the weights of a definition that was checked."""
    if w.money and w.currency is not None:
        return MoneyWeights(
            currency=w.currency,
            first_margin=_or_one(w.first_margin),
            second_margin=_or_one(w.second_margin),
        )
    return CountWeights(
        first=_or_one(w.first), second=_or_one(w.second), currency=w.currency
    )


def _or_one(value: float | None) -> float:
    return 1.0 if value is None else value
