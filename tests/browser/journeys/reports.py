"""What the numbers of the results page must be, reckoned from the report's JSON."""

import re
from typing import Any

from tests.browser.journeys.printed import Country, Unit, significant

Report = Any
"""A report as JSON: read here by paths, as a reader of the API does."""

_PERCENT = re.compile(r"relative|planned_share|maturity\.share|plan\.|probability")
_VALUE = re.compile(r"value|mature_only|exact_posterior|curve")
_PRICE = re.compile(r"cost_per_click|acquisition_cost|order_cap")
_COUNT = re.compile(r"(observed|visitors|exposures|conversions|window_days)$")
_SIGNED = re.compile(
    r"(?<!detectable_)effect|(?<!exact_posterior\.)interval$|credible_interval"
)
_PRECISION = 0.05
"""Of the larger end of a range: no last digit may be coarser."""


def at(report: Report, path: str) -> Report:
    """Return what stands at a path such as `variants.0.visitors`."""
    for name in path.split("."):
        report = report[int(name)] if isinstance(report, list) else report[name]
    return report


def expected_text(country: Country, report: Report, path: str) -> str:
    """Return the figure at a path as it must be printed, where it is no number."""
    value = at(report, path)
    return country.day(value) if re.fullmatch(r"\d{4}-\d\d-\d\d", value) else value


def expected_numbers(
    country: Country, report: Report, path: str, printed: list[str]
) -> list[str]:
    """Return the numbers of the figure at a path as they must be printed.

    The decimals are those printed, after a look whether they are enough.
    """
    value = at(report, path)
    if path.endswith("p_value"):
        return _luck(country, value)
    if "probability" in path:
        return [country.write(min(max(value, 0.001), 0.999), 1, Unit.PERCENT)]
    values = value if isinstance(value, list) else [value]
    if "decomposition" in path:
        values = [v - 1 for v in values]
    ends = [v for v in values if v is not None]
    decimals = [country.decimals(number) for number in printed[: len(ends)]]
    unit, scale = _unit(report, path)
    # The decimals of a curve's table are those of its largest number.
    if isinstance(value, list) and unit is Unit.PLAIN and ".curve." not in path:
        assert 10 ** -decimals[0] <= _PRECISION * scale * max(map(abs, ends)), path
    if "expected_loss" in path:
        return _loss(country, report, value, decimals[0])
    is_signed = "decomposition" in path or bool(_SIGNED.search(path))
    is_signed = is_signed and not _PRICE.search(path)
    if path.endswith("weight") or ".bands." in path:
        return [country.plain(round(v, 2)) for v in ends]
    return [
        country.write(scale * v, d, unit, signed=is_signed)
        for v, d in zip(ends, decimals, strict=True)
    ]


def _unit(report: Report, path: str) -> tuple[Unit, float]:
    """Return the unit of a figure, and by what one per visitor is multiplied."""
    if path == "plan.critical_value" or ".break_even_weight." in path:
        return Unit.PLAIN, 1
    if _PRICE.search(path):
        return Unit.EURO, 1
    if "decomposition" in path or _PERCENT.search(path):
        return Unit.PERCENT, 1
    if _COUNT.search(path) or path.endswith(("statistic", "weight")):
        return Unit.PLAIN, 1
    if _VALUE.search(path) and "money" in report["weights"]:
        return Unit.EURO, 1
    return Unit.PLAIN, 1000


def _luck(country: Country, p_value: float) -> list[str]:
    """Write a p-value: 3 of 1,000 (p = 0.003)."""
    p = country.write(max(p_value, 0.001), 3)
    if p_value < 0.001:
        return ["1", country.write(1000, 0), p]
    if p_value < 0.1:
        return [country.write(1000 * p_value, 0), country.write(1000, 0), p]
    return [country.write(100 * p_value, 0), "100", p]


def _loss(country: Country, report: Report, loss: float, decimals: int) -> list[str]:
    """Write an expected loss; what is below a hundredth is said to be below."""
    if "money" in report["weights"]:
        return [country.write(max(loss, 0.01), decimals, Unit.EURO)]
    amount = country.write(max(1000 * loss, 0.01), decimals)
    return [amount, country.write(1000, 0)]


def verdict_numbers(country: Country, report: Report) -> list[str]:
    """Return the numbers that the sentence of the verdict must hold, in any order."""
    verdict, thousand = report["verdict"], country.write(1000, 0)
    match verdict["code"]:
        case "no_data":
            return []
        case "too_early":
            return [str(report["window_days"])]
        case "unhealthy":
            split = next(
                c for c in report["health"]["checks"] if c["code"] == "sample_ratio"
            )
            shares = [*split["planned"], *split["observed"]]
            odds = country.write(int(min(split["value"], 1_000_000)), 0)
            return [*(f"{100 * share:.0f}" for share in shares), "1", odds]
        case code:
            pass
    leading = next(
        c for c in report["comparisons"] if verdict["variant"] in {None, c["variant"]}
    )
    first, second = (leading[m]["frequentist"]["effect"] for m in ("first", "second"))
    is_money = "money" in report["weights"]
    unit, scale = (Unit.EURO, 1) if is_money else (Unit.PLAIN, 1000)
    effect = scale * leading["decision_effect"]
    ends = [scale * end for end in leading["decision_interval"]]
    least = 2 if is_money else 0
    digits = max(least, significant(*ends))
    level = country.write(1 - report["plan"]["alpha"], 0, Unit.PERCENT)
    found = [
        country.write(abs(effect), max(least, significant(effect)), unit),
        *(country.write(end, digits, unit, signed=True) for end in ends),
        *(country.write(abs(1000 * e), significant(1000 * e)) for e in (first, second)),
        *([thousand] if is_money else [thousand, thousand]),
        level,
    ]
    if code in {"winner", "tradeoff"}:
        margin = report["plan"]["first_conversion_margin"]
        found.append(country.write(margin, 0, Unit.PERCENT))
    if code == "tradeoff":
        change = leading["guardrail"]["relative_confidence_interval"]
        found += [country.write(end, 1, Unit.PERCENT, signed=True) for end in change]
        worth = leading["break_even_weight"]["estimate"]
        chosen = report["weights"]["second"]
        found += [level, country.write(worth, 1), country.plain(chosen)]
    return found
