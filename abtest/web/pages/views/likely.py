"""How likely a variant is better, and what is lost if it is not, in sentences."""

from markupsafe import Markup, escape

from abtest.services.report import ExperimentReport
from abtest.stats.results import BayesianResult, NotEstimable
from abtest.web.pages.views.figures import Figure, rich
from abtest.web.render.quantities import Quantity, chance, value_of
from abtest.web.render.reader import Reader
from abtest.web.render.words import control_name, reason_sentence, variant_name

_SMALLEST = 0.01
"""A hundredth of a point per 1,000 visitors, or a cent per visitor."""


def likely_sentences(
    reader: Reader, report: ExperimentReport, index: int
) -> tuple[Markup, ...]:
    """Say probability and expected losses of one comparison."""
    comparison = report.comparisons[index]
    path = f"comparisons.{index}.value.bayesian"
    result = comparison.value.bayesian
    if isinstance(result, NotEstimable):
        return (escape(reason_sentence(result, reader.tag)),)
    names = {
        "variant": variant_name(reader, report, comparison.variant),
        "control": control_name(reader, report),
    }
    several = len(report.comparisons) > 1
    quantity = value_of(reader, report)
    return (
        rich(
            reader,
            "With a probability of {chance}, {variant} is better than {control}.",
            chance=_chance(
                reader,
                result.probability_to_beat_control,
                f"{path}.probability_to_beat_control",
            ),
            **names,
        ),
        *((_best(reader, result, path, names["variant"]),) if several else ()),
        rich(
            reader,
            "If you choose {variant} and another one is really better, you lose {loss}"
            " on average; if you keep {control}, {other}.",
            loss=_loss(quantity, result.expected_loss, f"{path}.expected_loss"),
            other=_loss(
                quantity,
                result.expected_loss_of_control,
                f"{path}.expected_loss_of_control",
            ),
            **names,
        ),
    )


def _best(reader: Reader, result: BayesianResult, path: str, variant: str) -> Markup:
    return rich(
        reader,
        "With a probability of {chance}, {variant} is the best of all.",
        chance=_chance(
            reader, result.probability_to_be_best, f"{path}.probability_to_be_best"
        ),
        variant=variant,
    )


def _chance(reader: Reader, probability: float, path: str) -> Figure:
    return Figure(chance(reader, probability), path, probability)


def _loss(quantity: Quantity, loss: float, path: str) -> Figure:
    """Write a loss; one too small to matter is not written as zero."""
    smallest = _SMALLEST / quantity.scale
    if loss < smallest:
        least = quantity.amount(smallest, digits=2)
        amount = quantity.reader.gettext("less than {amount}", amount=least)
    else:
        amount = quantity.amount(loss, digits=quantity.digits(loss))
    return Figure(f"{amount} {quantity.per}", path, loss)
