"""The Kaplan-Meier estimate, a second opinion on one conversion by itself."""

import numpy as np

from abtest.stats.columns import Columns, Process
from abtest.stats.exact_spread import running_sums
from abtest.stats.follow_up import follow_up
from abtest.stats.moments import Moments
from abtest.stats.results import NotEstimable, ValueEstimate


def kaplan_meier(
    moments: Moments, *, ordinal: int, window: int, as_of: int
) -> ValueEstimate | NotEstimable:
    """Estimate the share of visitors with a conversion within the window.

    Unlike `delayed.estimate` it knows nothing of money, of refunds and of the other
    conversion. Where both apply they differ by a few hundredths of a standard error.

    Args:
        moments: one variant.
        ordinal: 1 first conversion, 2 second conversion.
        window: days that count.
        as_of: last complete day.

    Returns:
        The share with Greenwood's variance, NO_VISITORS or NOT_MATURE.

    References:
        Kaplan and Meier, https://doi.org/10.1080/01621459.1958.10501452
    """
    columns = Columns.of(moments)
    known = follow_up(
        columns.days, columns.sizes, window=window, as_of=as_of, last_day=as_of
    )
    if isinstance(known, NotEstimable):
        return known
    conversions = Process(ordinal=ordinal, in_money=False, window=window)
    running = running_sums(columns, columns.totals(conversions), window)
    sums = running[known.reach - 1].T
    events = sums.diagonal().astype(np.float64)
    at_risk = known.followed - np.triu(sums, 1).sum(axis=0)
    happened = events > 0
    events, at_risk = events[happened], at_risk[happened]
    left = at_risk - events
    survival = float((left / at_risk).prod())
    # When everybody has converted nothing is left to vary.
    greenwood = (events / (at_risk * left)).sum() if survival else 0.0
    return ValueEstimate(
        visitors=known.visitors,
        mean=1 - survival,
        variance=float(survival**2 * greenwood),
        is_mature=known.is_mature,
    )
