"""The report as plain text, for a terminal or an e-mail: the words of the page."""

import textwrap
from collections.abc import Iterator, Sequence

from markupsafe import Markup

from abtest.services.report import ExperimentReport
from abtest.web.pages.views.difference import DifferenceView, difference_view
from abtest.web.pages.views.figures import Figure, Shown
from abtest.web.pages.views.health_box import health_box
from abtest.web.pages.views.maturity import maturity_view
from abtest.web.pages.views.subject import subject_view
from abtest.web.pages.views.verdict_panel import verdict_panel
from abtest.web.pages.views.worth import worth_view
from abtest.web.render.reader import Reader, reader_of
from abtest.web.render.words import STATUSES

_WIDTH = 88
_GAP = "  "


def report_to_text(report: ExperimentReport, language: str) -> str:
    """Return the report in paragraphs and aligned tables, at most 88 wide.

    A table that needs more room takes it.

    Args:
        language: a language tag: `de`, `en`, or with a country such as `de-AT`.
    """
    reader = reader_of(language)
    return "\n".join(_lines(reader, report)) + "\n"


def _lines(reader: Reader, report: ExperimentReport) -> Iterator[str]:
    say = reader.gettext
    panel, what = verdict_panel(reader, report), subject_view(reader, report)
    yield f"{report.name} ({report.experiment}, {say(STATUSES[report.status])})"
    day = reader.format.day(report.as_of)
    yield say("Counted up to the end of {date}", date=day)
    yield from _heading(panel.headline, "=")
    for text in (panel.happened, panel.certainty, panel.advice, panel.change):
        yield from _paragraph(text)
    yield from _heading(say("What is tested"))
    for text in (
        what.hypothesis,
        f"{say('First conversion')}: {what.first}",
        f"{say('Second conversion')}: {what.second}",
        what.worth,
        what.window,
    ):
        yield from _paragraph(text)
    yield from _heading(say("Can the numbers be trusted?"))
    for line in health_box(reader, report).lines:
        yield from _paragraph(f"{line.word}: {line.title}. {_plain(line.found)}")
    if not any(variant.visitors for variant in report.variants):
        return
    yield from _funnel(reader, report)
    indices = range(len(report.comparisons))
    yield from _heading(say("What is different"))
    for index in indices:
        yield from _difference(reader, difference_view(reader, report, index))
    yield from _heading(say("What is the second conversion worth?"))
    for index in indices:
        worth = worth_view(reader, report, index)
        yield from _paragraph(f"{worth.title}: {_plain(worth.tie)}")
    yield from _heading(say("How much is still to come?"))
    for sentence in maturity_view(reader, report).sentences:
        yield from _paragraph(_plain(sentence))


def _funnel(reader: Reader, report: ExperimentReport) -> Iterator[str]:
    """Write how many visitors of each variant reached each step, as counted."""
    variants, number = report.variants, reader.format.integer
    yield from _heading(reader.gettext("The funnel"))
    rows = [
        ["", *(v.name or str(v.key) for v in variants)],
        [reader.gettext("Visitors"), *(number(v.visitors) for v in variants)],
    ]
    for index, step in enumerate(variants[0].steps):
        counts = (number(v.steps[index].visitors) for v in variants)
        rows.append([step.name or str(step.key), *counts])
    counts = (number(v.second.observed) for v in variants)
    rows.append([reader.gettext("Second conversions"), *counts])
    yield from _table(rows)


def _difference(reader: Reader, view: DifferenceView) -> Iterator[str]:
    """Write one comparison; what cannot be said yet is said below the table."""
    say = reader.gettext
    known = [row for row in view.rows if not row.gap]
    yield view.title
    if known:
        yield from _table(
            [
                [
                    say("Measure"),
                    view.control,
                    view.variant,
                    say("Difference"),
                    say("Range"),
                    say("Relative change"),
                ],
                *(
                    [
                        f"{row.name} ({row.per})",
                        _plain(row.control),
                        _plain(row.variant),
                        _plain(row.effect),
                        _plain(row.effect_range),
                        _plain(row.relative),
                    ]
                    for row in known
                ),
            ]
        )
    for row in view.rows:
        if row.gap:
            yield from _paragraph(f"{row.name}: {row.gap}")
    yield from _paragraph(view.ranges)


def _heading(text: str, line: str = "-") -> Iterator[str]:
    yield ""
    yield text
    yield line * min(len(text), _WIDTH)


def _paragraph(text: str) -> Iterator[str]:
    yield from textwrap.wrap(text, _WIDTH, break_long_words=False)


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Align the columns: the first to the left, numbers to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = [first.ljust(widths[0])]
        cells += [c.rjust(w) for c, w in zip(others, widths[1:], strict=True)]
        yield _GAP.join(cells).rstrip()


def _plain(shown: Shown) -> str:
    """Take the text out of what a page would show."""
    match shown:
        case Figure(text=text):
            return text
        case Markup():
            return shown.striptags()
        case _:
            return str(shown)
