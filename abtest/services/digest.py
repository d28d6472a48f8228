"""A fingerprint of the sums that a report rests on."""

import hashlib
import json
from collections.abc import Mapping
from operator import itemgetter
from typing import Any

import msgspec

from abtest.domain.experiment import VariantKey
from abtest.stats.moments import Moments


def digest(moments: Mapping[VariantKey, Moments]) -> str:
    """Return the SHA-256 of all tables as JSON, whatever the order of their rows."""
    found = hashlib.sha256()
    for variant, m in sorted(moments.items()):
        for table in (
            m.cohorts,
            m.cells,
            m.pairs,
            m.steps,
            m.covariate_cohorts,
            m.covariate_cells,
        ):
            found.update(_json([variant, _in_order(table)]))
    return found.hexdigest()


def _in_order(table: Mapping[Any, object]) -> list[tuple[Any, object]]:
    """Return the rows by key; whole rows take far longer to compare."""
    return sorted(table.items(), key=itemgetter(0))


def _json(table: list[object]) -> bytes:
    """Return what `json.dumps` would; keys of variants and steps have no commas."""
    try:
        return msgspec.json.encode(table).replace(b",", b", ")
    except OverflowError:  # a number beyond 64 bits
        return json.dumps(table).encode()
