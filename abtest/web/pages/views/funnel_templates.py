"""Funnels to begin with: what marketers usually measure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from abtest.domain.funnel import StepKind
from abtest.web.pages.views.set_up_form import AGAIN, SetUpForm, StepRow
from abtest.web.render.reader import Reader
from abtest.web.render.translate import mark


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelTemplate:
    """A funnel with its two conversions.

    Attributes:
        steps: key, name and kind of each.
        first: place of the first conversion.
        second: place of the second one, or `AGAIN`.
    """

    words: str
    steps: tuple[tuple[str, str, StepKind], ...]
    first: str
    second: str
    window_days: str


SHOP = "shop"

TEMPLATES: Mapping[str, FunnelTemplate] = {
    SHOP: FunnelTemplate(
        words=mark("Shop: purchase, then a second purchase"),
        steps=(("purchase", mark("Purchase"), StepKind.MAIN),),
        first="0",
        second=AGAIN,
        window_days="60",
    ),
    "lead": FunnelTemplate(
        words=mark("Leads: sign-up, then the main product"),
        steps=(
            ("lead", mark("Lead magnet"), StepKind.LEAD),
            ("qualified", mark("Qualified lead"), StepKind.QUALIFIED),
            ("activator", mark("First small purchase"), StepKind.ACTIVATOR),
            ("main", mark("Main product"), StepKind.MAIN),
            ("upsell", mark("Further offer"), StepKind.UPSELL),
        ),
        first="0",
        second="3",
        window_days="60",
    ),
    "trial": FunnelTemplate(
        words=mark("Free trial, then payment"),
        steps=(
            ("trial", mark("Free trial"), StepKind.LEAD),
            ("payment", mark("Paid subscription"), StepKind.MAIN),
        ),
        first="0",
        second="1",
        window_days="45",
    ),
    "custom": FunnelTemplate(
        words=mark("My own funnel"),
        steps=(("", "", StepKind.CUSTOM), ("", "", StepKind.CUSTOM)),
        first="0",
        second="1",
        window_days="60",
    ),
}


def with_template(form: SetUpForm, name: str, reader: Reader) -> SetUpForm:
    """Return the form with the steps and conversions of a template."""
    template = TEMPLATES[name]
    return replace(
        form,
        steps=tuple(
            StepRow(
                key=key, name=reader.gettext(words) if words else "", kind=kind.value
            )
            for key, words, kind in template.steps
        ),
        first=template.first,
        second=template.second,
        window_days=template.window_days,
    )
