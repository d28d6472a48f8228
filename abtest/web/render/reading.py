"""How to read a result: what each verdict means, and questions that people ask.

The same sentences stand in docs/how-to-read.md; a test compares them.
"""

from dataclasses import dataclass

from abtest.web.render.reader import Reader
from abtest.web.render.translate import mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a verdict says, what that means, and what the reader does then."""

    says: str
    means: str
    you: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question that people ask, with its answer."""

    question: str
    answer: str


_MEANINGS = (
    (
        mark("… is better than …"),
        mark("more value over both conversions, and few enough first ones lost"),
        mark("may switch"),
    ),
    (
        mark("… brings more value, but costs more first conversions than you allowed"),
        mark("both are true; no formula can weigh them for you"),
        mark("decide; look at “What is the second conversion worth?”"),
    ),
    (
        mark("… is worse than …"),
        mark("less value"),
        mark("keep the control"),
    ),
    (
        mark("it is too early to say"),
        mark(
            "nobody has been followed for the whole window, or there are too few "
            "conversions"
        ),
        mark("wait until the day it names"),
    ),
    (
        mark("it runs as planned"),
        mark("the data do not decide yet"),
        mark("wait"),
    ),
    (
        mark("… it may cost more first conversions than you allowed"),
        mark("the plan is at its end, the loss could not be bounded"),
        mark("keep the control, or test again, larger"),
    ),
    (
        mark("there is no difference that matters"),
        mark("a difference, if any, is too small to care"),
        mark("choose by taste or cost"),
    ),
    (
        mark("we could not tell the variants apart"),
        mark("the plan is at its end"),
        mark("keep the control, or be bolder"),
    ),
    (
        mark("it was stopped before the plan allowed a decision"),
        mark("a hint, no proof"),
        mark("keep the control"),
    ),
    (
        mark("do not use these numbers"),
        mark("visitors were not split as planned: something is broken"),
        mark("find the cause, start anew"),
    ),
)
_QUESTIONS = (
    (
        mark("Why may I not decide as soon as B is ahead?"),
        mark(
            "Because who looks often sees chance winners, and because customers who"
            " buy again quickly arrive first. Both have crowned wrong winners; the "
            "rules of the page are there to prevent it."
        ),
    ),
    (
        mark("“Could it be luck?” says 3 of 1,000. Is B better with 99.7 % then?"),
        mark(
            "No. It says how often two equal variants would look this different. "
            "“How likely?” answers the other question."
        ),
    ),
    (
        mark(
            "The plan was for one look and was at its end weeks ago. Why do the "
            "numbers still move?"
        ),
        mark(
            "Visitors who came since are shown, but the decision is that of the day"
            " on which the plan was at its end; the panel names it. A verdict that "
            "followed every new day would be luck's second chance. Plan with daily "
            "looks if you want to go on looking."
        ),
    ),
    (
        mark(
            "Mobile visitors like B, the others do not. May I show B to mobile "
            "visitors only?"
        ),
        mark(
            "Not yet. Whoever cuts a test into ten groups finds a winner in one of "
            "them by luck. Groups are explorations, corrected for how many there "
            "are: take the idea into a test of its own."
        ),
    ),
    (
        mark("Another calculator says something else."),
        mark(
            "It probably tests the first conversion alone. “Check with another "
            "calculator” gives the counts and names the test."
        ),
    ),
)


def meanings(reader: Reader) -> tuple[Meaning, ...]:
    """Explain the verdicts, in the order of the documentation."""
    say = reader.gettext
    return tuple(
        Meaning(says=say(says), means=say(means), you=say(you))
        for says, means, you in _MEANINGS
    )


def questions(reader: Reader) -> tuple[Question, ...]:
    """Answer what people ask most."""
    say = reader.gettext
    return tuple(Question(question=say(q), answer=say(a)) for q, a in _QUESTIONS)
