"""How much of what will come is already in, in words and as a bar."""

from dataclasses import dataclass
from datetime import timedelta

from markupsafe import Markup

from abtest.services.report import ExperimentReport
from abtest.web.pages.views.figures import Figure, rich
from abtest.web.render.charts.meter import draw_meter
from abtest.web.render.reader import Reader
from abtest.web.render.translate import mark


@dataclass(frozen=True, slots=True, kw_only=True)
class MaturityView:
    """The meter with its sentences."""

    chart: Markup | None
    sentences: tuple[Markup, ...]


def maturity_view(reader: Reader, report: ExperimentReport) -> MaturityView:
    """Describe how mature the experiment is."""
    share = report.maturity.share
    words = "" if share is None else reader.format.percent(share, digits=0)
    return MaturityView(
        chart=(
            None
            if share is None
            else draw_meter(
                "maturity-meter",
                share,
                title=reader.gettext("Maturity"),
                description=reader.gettext(
                    "{share} of the second conversions we expect are in.", share=words
                ),
            )
        ),
        sentences=(
            _share(reader, report),
            _visitors(reader, report),
            *_dates(reader, report),
        ),
    )


def _share(reader: Reader, report: ExperimentReport) -> Markup:
    share = report.maturity.share
    if share is None:
        return rich(
            reader,
            "How many second conversions are still to come cannot be said yet.",
        )
    return rich(
        reader,
        "{share} of the second conversions we expect are in.",
        share=Figure(reader.format.percent(share, digits=0), "maturity.share", share),
    )


def _visitors(reader: Reader, report: ExperimentReport) -> Markup:
    found = report.maturity
    return rich(
        reader,
        "{mature} of {visitors} visitors have been followed for the whole window.",
        mature=Figure(
            reader.format.integer(found.mature_visitors),
            "maturity.mature_visitors",
            found.mature_visitors,
        ),
        visitors=Figure(
            reader.format.integer(found.visitors), "maturity.visitors", found.visitors
        ),
    )


_DECIDE = mark("A decision is possible from {date}.")
_DECIDED = mark("A decision has been possible since {date}.")
_COMPLETE = mark("Everybody who entered so far is followed to the end on {date}.")
_COMPLETED = mark("Everybody who entered was followed to the end by {date}.")


def _dates(reader: Reader, report: ExperimentReport) -> tuple[Markup, ...]:
    found = report.maturity
    dates = (
        ("decide_from", found.decide_from, _DECIDE, _DECIDED),
        ("complete_from", found.complete_from, _COMPLETE, _COMPLETED),
    )
    today = report.as_of + timedelta(days=1)
    return tuple(
        rich(
            reader,
            past if day <= today else future,
            date=Figure(reader.format.day(day), f"maturity.{name}", day.isoformat()),
        )
        for name, day, future, past in dates
        if day is not None
    )
