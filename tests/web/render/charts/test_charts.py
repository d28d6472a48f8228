"""Charts hold their numbers, escape their words and can be read without seeing."""

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from abtest.services.comparison_report import CurvePoint
from abtest.stats.results import Band, BreakEvenKind, BreakEvenWeight, Interval, Winner
from abtest.web.render.charts.axis import Axis, Tick, axis_around
from abtest.web.render.charts.forest import ForestRow, draw_forest
from abtest.web.render.charts.funnel import FunnelBar, FunnelStage, draw_funnel
from abtest.web.render.charts.meter import draw_meter
from abtest.web.render.charts.svg import cut, element, percent
from abtest.web.render.charts.value_curve import ValueCurve, draw_value_curve
from tests.web.render.reports import comparison

NASTY = '<b>"Fish & Chips"</b>'


def parsed(svg: Markup) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - drawn by the code under test


def widths(root: ET.Element, kind: str) -> list[str]:
    return [e.get("width", "") for e in root.iter("rect") if e.get("class") == kind]


def texts(root: ET.Element) -> list[str]:
    return ["".join(e.itertext()) for e in root.iter("text")]


def funnel(*shares: tuple[float, float]) -> Markup:
    stages = tuple(
        FunnelStage(
            name=NASTY,
            bars=(
                FunnelBar(label="A", words="12", share=a),
                FunnelBar(label="B", words="9", share=b),
            ),
        )
        for a, b in shares
    )
    return draw_funnel("f", stages, title="Funnel", description=NASTY)


def test_words_are_escaped() -> None:
    root = parsed(funnel((1.0, 1.0)))
    assert root.findtext("desc") == NASTY
    assert NASTY in texts(root)


def test_a_chart_names_itself() -> None:
    root = parsed(funnel((1.0, 1.0)))
    assert root.get("role") == "img"
    named = (root.get("aria-labelledby") or "").split()
    ids = {e.get("id"): e.text for e in root}
    assert [ids[name] for name in named] == ["Funnel", NASTY]


def test_within_a_step_the_longest_bar_fills_the_width() -> None:
    root = parsed(funnel((1.0, 1.0), (0.08, 0.06), (0.0, 0.0)))
    assert widths(root, "series-0") == ["100%", "100%", "0%"]
    assert widths(root, "series-1") == ["100%", "75%", "0%"]


def test_every_series_but_the_control_has_a_pattern() -> None:
    root = parsed(funnel((1.0, 1.0)))
    patterns = {f"url(#{e.get('id')})" for e in root.iter("pattern")}
    filled = {e.get("fill") for e in root.iter("rect") if e.get("fill")}
    assert filled <= patterns
    assert len(filled) == 1


def test_long_names_are_wrapped_or_cut() -> None:
    long = "A name that somebody wrote in one breath without ever stopping"
    drawn = draw_funnel(
        "f",
        (FunnelStage(name=long, bars=(FunnelBar(label=long, words="1", share=1.0),)),),
        title="",
        description="",
    )
    found = texts(parsed(drawn))
    assert max(map(len, found)) <= 36
    assert "A name that somebody…" in [t.rstrip() for t in found]
    assert cut("short", 22) == "short"


def forest(
    *rows: tuple[float | None, Interval | None], ticks: tuple[Tick, ...] = ()
) -> ET.Element:
    return parsed(
        draw_forest(
            "d",
            tuple(
                ForestRow(
                    label="row",
                    words="words",
                    effect=effect,
                    interval=interval,
                    is_decisive=number == 0,
                )
                for number, (effect, interval) in enumerate(rows)
            ),
            ticks,
            series=1,
            title="t",
            description="d",
        )
    )


def lines(root: ET.Element, kind: str) -> list[tuple[float, float]]:
    return [
        (float(e.get("x1", "").rstrip("%")), float(e.get("x2", "").rstrip("%")))
        for e in root.iter("line")
        if e.get("class") == kind
    ]


def test_a_range_lies_where_the_axis_puts_it() -> None:
    # From -0.1 to 0.3 with 8 % air on both sides: zero lies at 0.132 of 0.464.
    root = forest(
        (0.1, Interval(lower=-0.1, upper=0.3)), ticks=(Tick(value=0.0, words="0"),)
    )
    ((low, high),) = lines(root, "range line-1")
    assert low == pytest.approx(100 * 0.032 / 0.464, abs=0.01)
    assert high == pytest.approx(100 * 0.432 / 0.464, abs=0.01)
    ((zero, _),) = lines(root, "zero")
    assert zero == pytest.approx(100 * 0.132 / 0.464, abs=0.01)


def test_an_open_range_runs_to_the_edge() -> None:
    root = forest(
        (0.1, Interval(lower=None, upper=0.2)),
        (0.1, Interval(lower=0.05, upper=None)),
        (0.1, None),
        (None, None),
    )
    assert lines(root, "range line-1")[0][0] == 0
    right, everything = lines(root, "range line-0")
    assert right[1] == 100.0
    assert list(everything) == [0.0, 100.0]
    assert len(list(root.iter("circle"))) == 3


def curve(
    bands: tuple[Band, ...],
    found: BreakEvenWeight | None,
    *,
    chosen: float = 3.0,
    series: int = 1,
) -> ET.Element:
    points = (
        CurvePoint(weight=0.0, effect=-1.0, lower=-2.0, upper=0.5),
        CurvePoint(weight=4.0, effect=1.0, lower=-0.5, upper=2.0),
    )
    return parsed(
        draw_value_curve(
            "w",
            ValueCurve(
                points=points,
                bands=bands,
                break_even=found,
                chosen=chosen,
                chosen_words="set",
                worth_ticks=(Tick(value=0.0, words="0"), Tick(value=4.0, words="4")),
                value_ticks=(Tick(value=0.0, words="zero"), Tick(value=1.0, words="1")),
                series=series,
            ),
            title="t",
            description="d",
        )
    )


def test_bands_cover_the_worths() -> None:
    bands = (
        Band(lower=0.0, upper=1.0, winner=Winner.CONTROL),
        Band(lower=1.0, upper=3.0, winner=Winner.UNDECIDED),
        Band(lower=3.0, upper=4.0, winner=Winner.TREATMENT),
    )
    root = curve(bands, None, series=2)
    assert widths(root, "series-0") == ["25%"]
    assert widths(root, "undecided") == ["50%"]
    assert widths(root, "series-2") == ["25%"]


def test_the_tie_is_marked_with_its_range() -> None:
    found = BreakEvenWeight(
        kind=BreakEvenKind.INTERVAL, estimate=2.0, lower=1.0, upper=3.0
    )
    root = curve((), found)
    assert lines(root, "range line-0") == [(25, 75)]
    (dot,) = root.iter("circle")
    assert dot.get("cx") == "50%"


@pytest.mark.parametrize(
    "found",
    [
        BreakEvenWeight(kind=BreakEvenKind.ALL, estimate=None, lower=None, upper=None),
        BreakEvenWeight(kind=BreakEvenKind.RAYS, estimate=9.0, lower=-2, upper=3.0),
        BreakEvenWeight(kind=BreakEvenKind.INTERVAL, estimate=-3, lower=-4, upper=-2),
    ],
    ids=["all", "rays", "negative"],
)
def test_a_tie_outside_the_picture_is_not_drawn(found: BreakEvenWeight) -> None:
    root = curve((), found)
    assert list(root.iter("circle")) == []
    assert lines(root, "range line-0") == []


@pytest.mark.parametrize(("chosen", "anchor"), [(0.5, "start"), (3.9, "end")])
def test_the_label_of_the_chosen_worth_stays_inside(chosen: float, anchor: str) -> None:
    root = curve((), None, chosen=chosen)
    (group,) = (g for g in root.iter("g") if g.get("class") == "chosen-words")
    assert group[0].get("text-anchor") == anchor


def test_the_curve_of_a_report_can_be_drawn() -> None:
    one = comparison()
    assert isinstance(one.break_even_weight, BreakEvenWeight)
    root = curve(one.bands, one.break_even_weight)
    (band,) = (e for e in root.iter("polygon"))
    assert len((band.get("points") or "").split()) == 4


@pytest.mark.parametrize(("share", "width"), [(0.72, "72%"), (1.3, "100%"), (-1, "0%")])
def test_the_meter_is_full_at_one(share: float, width: str) -> None:
    root = parsed(draw_meter("m", share, title="t", description="d"))
    assert widths(root, "series-1") == [width]


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.integers(2, 8))
def test_ticks_are_round_and_inside(low: float, length: float, wanted: int) -> None:
    axis = Axis(low=low, high=low + length)
    if axis.high <= axis.low:
        return
    ticks = axis.ticks(wanted)
    slack = 1e-6 * max(abs(low), length)
    assert all(axis.low - slack <= t <= axis.high + slack for t in ticks)
    assert len(ticks) <= 1.5 * wanted + 2
    assert len(ticks) >= wanted // 3


def test_ticks_of_known_axes() -> None:
    assert Axis(low=0, high=12).ticks(6) == (0, 2, 4, 6, 8, 10, 12)
    assert Axis(low=-0.11, high=0.31).ticks(4) == pytest.approx(
        (-0.1, 0, 0.1, 0.2, 0.3)
    )


def test_an_axis_around_nothing_still_has_length() -> None:
    axis = axis_around([0.0])
    assert axis.high > axis.low
    assert axis.place(5) == 1
    assert axis.place(-5) == 0


def test_attributes_are_written_as_svg_wants_them() -> None:
    drawn = element("a", ["x<y"], class_="c", stroke_width=1.5, viewBox="0 0 1 1")
    assert drawn == ('<a class="c" stroke-width="1.5" viewBox="0 0 1 1">x&lt;y</a>')
    assert percent(1 / 3) == "33.33%"
