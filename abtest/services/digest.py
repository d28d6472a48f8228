"""A fingerprint of the sums that a report rests on."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from itertools import islice
from operator import itemgetter
from typing import Any

import msgspec

from abtest.domain.experiment import VariantKey
from abtest.stats.moments import Moments, Table

_AT_ONCE = 500
"""Rows."""


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
            found.update(_json([variant])[:-1] + b", [")
            rows, between = iter(_in_order(table)), b""
            # Python searches many objects for garbage, again and again; few it forgets.
            while few := list(islice(rows, _AT_ONCE)):
                found.update(between + _json(few)[1:-1])
                between = b", "
            found.update(b"]]")
    return found.hexdigest()


def _in_order(table: Mapping[Any, object]) -> Iterable[tuple[Any, object]]:
    """Return the rows by key; whole rows take far longer to compare."""
    if isinstance(table, Table):
        return table.rows()
    return sorted(table.items(), key=itemgetter(0))


def _json(rows: list[Any]) -> bytes:
    """Return what `json.dumps` would; keys of variants and steps have no commas."""
    try:
        return msgspec.json.encode(rows).replace(b",", b", ")
    except OverflowError:  # a number beyond 64 bits
        return json.dumps(rows).encode()
