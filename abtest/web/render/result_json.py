"""Single results as JSON, for every answer that holds some."""

from abtest.stats.results import (
    FrequentistResult,
    Interval,
    NotEstimable,
    ValueEstimate,
)

Json = dict[str, "Json"] | list["Json"] | str | float | int | bool | None


def nothing_to_json(missing: NotEstimable) -> dict[str, Json]:
    """Say why there is no number."""
    return {"not_estimable": missing.reason.value}


def interval_to_json(interval: Interval | None) -> Json:
    """Return lower and upper limit."""
    return None if interval is None else [interval.lower, interval.upper]


def estimate_to_json(
    name: str, estimate: ValueEstimate | NotEstimable
) -> dict[str, Json]:
    """Return a mean under its name, and its standard error."""
    if isinstance(estimate, NotEstimable):
        return {name: None, "standard_error": None, **nothing_to_json(estimate)}
    return {name: estimate.mean, "standard_error": estimate.variance**0.5}


def frequentist_to_json(result: FrequentistResult | NotEstimable) -> dict[str, Json]:
    """Return a test of no difference."""
    if isinstance(result, NotEstimable):
        return nothing_to_json(result)
    return {
        "effect": result.effect,
        "standard_error": result.standard_error,
        "confidence_interval": interval_to_json(result.confidence_interval),
        "relative_effect": result.relative_effect,
        "relative_confidence_interval": interval_to_json(
            result.relative_confidence_interval
        ),
        "statistic": result.statistic,
        "p_value": result.p_value,
        "adjusted_p_value": result.adjusted_p_value,
        "degrees_of_freedom": result.degrees_of_freedom,
        "method": result.method,
    }
