"""The three quantities a variant is compared by, and the ranges to read today."""

from dataclasses import dataclass

from abtest.services.comparison_report import MeasureTest
from abtest.services.report import ExperimentReport
from abtest.stats.results import (
    FrequentistResult,
    Interval,
    NotEstimable,
    SequentialResult,
    ValueEstimate,
)
from abtest.web.render.quantities import Quantity, conversions, value_of
from abtest.web.render.reader import Reader
from abtest.web.render.words import second_name, step_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One quantity of a comparison, with everything needed to write it.

    Attributes:
        path: where the report holds the tests.
        note: what the quantity is, or counted per what.
        estimates: control and variant; `estimate_paths` say where they stand.
        is_decisive: the verdict rests on it.
    """

    path: str
    name: str
    note: str
    quantity: Quantity
    test: MeasureTest
    estimates: tuple[ValueEstimate | NotEstimable, ValueEstimate | NotEstimable]
    estimate_paths: tuple[str, str]
    is_decisive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranges:
    """The ranges and the p-value that may be read today.

    Attributes:
        path, p_path: where the report holds them.
    """

    path: str
    interval: Interval
    relative: Interval | None
    p_value: float | None
    p_path: str


def compared(
    reader: Reader, report: ExperimentReport, index: int
) -> tuple[Compared, Compared, Compared]:
    """Return first conversion, second conversion and value of one comparison."""
    comparison = report.comparisons[index]
    control, variant = report.variants[0], report.variants[index + 1]
    path, value = f"comparisons.{index}", value_of(reader, report)

    def places(end: str) -> tuple[str, str]:
        return f"variants.0.{end}", f"variants.{index + 1}.{end}"

    return (
        Compared(
            path=f"{path}.first",
            name=reader.gettext("First conversion"),
            note=step_name(report, report.first_step),
            quantity=conversions(reader),
            test=comparison.first,
            estimates=(control.first.rate, variant.first.rate),
            estimate_paths=places("first.rate"),
            is_decisive=False,
        ),
        Compared(
            path=f"{path}.second",
            name=reader.gettext("Second conversion"),
            note=second_name(reader, report),
            quantity=conversions(reader),
            test=comparison.second,
            estimates=(control.second.rate, variant.second.rate),
            estimate_paths=places("second.rate"),
            is_decisive=False,
        ),
        Compared(
            path=f"{path}.value",
            name=reader.gettext("Value of both together"),
            note=" ".join(word for word in (value.unit, value.per) if word),
            quantity=value,
            test=comparison.value,
            estimates=(control.value, variant.value),
            estimate_paths=places("value.per_visitor"),
            is_decisive=True,
        ),
    )


def ranges_today(report: ExperimentReport, one: Compared) -> Ranges | None:
    """Choose the ranges that allow for daily looks, where the method takes them.

    Weights chosen late are no part of the plan of looks; their wider ranges are
    those of the frequentist result.
    """
    late = report.weights_are_exploratory or report.weights_changed_at is not None
    match one.test.sequential, one.test.frequentist:
        case (SequentialResult() as found, _) if not late:
            path = f"{one.path}.sequential"
            return Ranges(
                path=path,
                interval=found.confidence_interval,
                relative=found.relative_confidence_interval,
                p_value=found.p_value,
                p_path=f"{path}.p_value",
            )
        case (_, FrequentistResult(adjusted_p_value=adjusted) as found):
            path = f"{one.path}.frequentist"
            name = "p_value" if adjusted is None else "adjusted_p_value"
            return Ranges(
                path=path,
                interval=found.confidence_interval,
                relative=found.relative_confidence_interval,
                p_value=found.p_value if adjusted is None else adjusted,
                p_path=f"{path}.{name}",
            )
        case _:
            return None
