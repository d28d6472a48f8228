"""What was known of a visitor before the first exposure, as one integer."""

import json
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

SCALE = 10_000
"""Four decimals are kept: sums of integers are exact."""

LARGEST = 10_000_000
"""A number beyond this, on either side of zero, counts as this."""


def covariate_of(attributes_json: str | None, name: str) -> int:
    """Return the attribute times `SCALE`; 0 when it is missing or is no number.

    True counts as 1 and false as 0; a text counts as the decimal number it writes.
    """
    if attributes_json is None:
        return 0
    try:
        attributes = json.loads(attributes_json, parse_int=Decimal, parse_float=Decimal)
        told = attributes.get(name) if isinstance(attributes, dict) else None
        if not isinstance(told, bool | Decimal | str):
            return 0
        number = Decimal(told)
    except InvalidOperation:
        return 0
    if not number.is_finite():
        return 0
    bounded = max(Decimal(-LARGEST), min(Decimal(LARGEST), number))
    return int((bounded * SCALE).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))
