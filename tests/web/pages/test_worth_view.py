"""The worth of the second conversion in every shape it can have."""

from dataclasses import replace

import pytest

from abtest.services.report import (
    VerdictCode,
)
from abtest.stats.results import (
    BreakEvenKind,
    BreakEvenWeight,
    NotEstimable,
    Reason,
)
from abtest.web.pages.views.worth import worth_view
from abtest.web.render.reader import reader_of
from tests.web.pages.reading import words
from tests.web.render.reports import (
    comparison,
    report,
    three_armed,
    with_comparison,
)

ENGLISH, GERMAN = reader_of("en"), reader_of("de")
MINUS = "\N{MINUS SIGN}"


@pytest.mark.parametrize(
    ("kind", "lower", "upper", "english"),
    [
        (
            BreakEvenKind.INTERVAL,
            0.36,
            2.5,
            "Both tie at a worth of about 0.56 (95% range 0.36 to 2.50).",
        ),
        (
            BreakEvenKind.RAYS,
            -2.0,
            4.0,
            (
                "Both may tie at any worth up to -2.00, and at any from 4.00 upwards;"
                " only between the two is the winner clear."
            ),
        ),
        (
            BreakEvenKind.RAYS,
            None,
            4.0,
            (
                "Both may tie at any worth from 4.00 upwards (best guess 0.56); the"
                " data set no upper limit."
            ),
        ),
        (
            BreakEvenKind.RAYS,
            4.0,
            None,
            (
                "Both may tie at any worth up to 4.00 (best guess 0.56); the data set"
                " no lower limit."
            ),
        ),
        (
            BreakEvenKind.ALL,
            None,
            None,
            (
                "The data do not bound where both tie: at every worth either variant"
                " may be ahead."
            ),
        ),
        (
            BreakEvenKind.NONE,
            None,
            None,
            (
                "There is no worth at which both tie: the same variant is ahead at"
                " every worth."
            ),
        ),
        (
            BreakEvenKind.INTERVAL,
            -4.0,
            -1.0,
            (
                "Both would tie at a worth below zero alone, about 0.56 (95% range"
                " -4.00 to -1.00): at every real worth the same variant is ahead."
            ),
        ),
    ],
    ids=["interval", "rays", "from", "up-to", "all", "none", "negative"],
)
def test_every_shape_of_the_tie_has_its_sentence(
    kind: BreakEvenKind, lower: float | None, upper: float | None, english: str
) -> None:
    found = BreakEvenWeight(kind=kind, estimate=0.56, lower=lower, upper=upper)
    told = with_comparison(replace(comparison(), break_even_weight=found))
    said = words(worth_view(ENGLISH, told, 0).tie)
    assert said == english.replace("-", MINUS)
    assert words(worth_view(GERMAN, told, 0).tie) != said


def test_a_tie_that_cannot_be_known_says_why() -> None:
    gap = NotEstimable(Reason.NOT_MATURE)
    unknown = replace(comparison(), break_even_weight=gap, bands=(), curve=())
    view = worth_view(ENGLISH, with_comparison(unknown), 0)
    assert view.tie == "Nobody has been followed for the whole window yet."
    assert view.chart is None
    assert view.points == ()


def test_bands_are_told_in_words() -> None:
    bands = worth_view(ENGLISH, report(), 0).bands
    assert [words(b.words) for b in bands] == [
        "Worth 0 to 2.25: it is open who wins.",
        "Worth 2.25 to 12: B wins.",
    ]
    assert [b.fill for b in bands] == ["undecided", "series-1"]
    second = worth_view(ENGLISH, three_armed(VerdictCode.RUNNING), 1)
    assert second.bands[1].fill == "series-2"


def test_the_curve_stands_in_a_table_too() -> None:
    points = worth_view(GERMAN, report(), 0).points
    assert [[f.text for f in row] for row in points] == [
        ["0", f"{MINUS}4", f"{MINUS}10 bis +2"],
        ["6", "+40", "+20 bis +59"],
        ["12", "+84", "+45 bis +122"],
    ]
