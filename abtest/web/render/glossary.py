"""The words of the pages, explained."""

from dataclasses import dataclass

from abtest.web.render.reader import Reader
from abtest.web.render.translate import mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A word and what it means; `key` is its address on the help page."""

    key: str
    name: str
    text: str


_TERMS = (
    (
        "variant",
        mark("Variant"),
        mark(
            "One version of the page. The first one, usually the present page, is "
            "the control."
        ),
    ),
    (
        "control",
        mark("Control"),
        mark("The variant that all others are compared with."),
    ),
    (
        "visitor",
        mark("Visitor"),
        mark(
            "A browser, or a person once known by customer id, that was shown a "
            "variant. Each counts once, for the variant seen first."
        ),
    ),
    (
        "first-conversion",
        mark("First conversion"),
        mark(
            "The step you optimise for at first sight, for example the first purchase."
        ),
    ),
    (
        "second-conversion",
        mark("Second conversion"),
        mark(
            "What the customer ideally does next: buys again, or takes a further step."
        ),
    ),
    (
        "worth",
        mark("Worth"),
        mark(
            "How many points a conversion counts. Fix it before the start; where "
            "revenue is known, money decides and nothing has to be chosen."
        ),
    ),
    (
        "value",
        mark("Value per visitor"),
        mark(
            "Both conversions together, each with its worth, for every visitor who "
            "was shown the variant, whether they bought or not. This number "
            "decides."
        ),
    ),
    (
        "window",
        mark("Window"),
        mark(
            "How many days each visitor is followed after the first visit. What "
            "happens later does not count."
        ),
    ),
    (
        "maturity",
        mark("Maturity"),
        mark(
            "The share of the expected second conversions that are already in. "
            "Recent visitors are not left out; the days they still have are "
            "corrected for."
        ),
    ),
    (
        "decision-day",
        mark("Day of decision"),
        mark(
            "The first day on which the earliest visitors have been followed for "
            "the whole window. Before it, nothing is decided."
        ),
    ),
    (
        "range",
        mark("95% range"),
        mark(
            "Computed like this, the range contains the true difference in 95 of "
            "100 experiments. Wide means: little is known yet."
        ),
    ),
    (
        "daily-looks",
        mark("Daily looks"),
        mark(
            "Who looks often sees chance winners. The sequential method widens its "
            "ranges for that, so that you may look every day."
        ),
    ),
    (
        "luck",
        mark("Could it be luck?"),
        mark(
            "In how many of 1,000 experiments with two equal variants chance alone "
            "would show such a difference. Statisticians call it the p-value. It is"
            " not the probability that the variants are equal."
        ),
    ),
    (
        "likely",
        mark("How likely?"),
        mark(
            "The probability that a variant is better, given the data and no "
            "opinion beforehand. It weighs a choice; it does not tell when to stop."
        ),
    ),
    (
        "expected-loss",
        mark("Average loss"),
        mark(
            "What you lose per visitor on average if you choose a variant and "
            "another one is really better. Small means: a wrong choice costs "
            "little."
        ),
    ),
    (
        "break-even",
        mark("Tie"),
        mark(
            "The worth of the second conversion at which both variants come out "
            "equal. Above it the one with more second conversions wins, below it "
            "the other."
        ),
    ),
    (
        "margin",
        mark("Allowed loss of first conversions"),
        mark(
            "How many first conversions, in percent, a winner may cost. Beyond it a"
            " person decides."
        ),
    ),
    (
        "split",
        mark("Traffic split"),
        mark(
            "Which share of the visitors sees which variant. If the shares that "
            "arrive differ from the plan by more than chance, something is broken "
            "and the numbers must not be used."
        ),
    ),
    (
        "contamination",
        mark("One visitor, one variant"),
        mark(
            "Somebody who saw two variants, for example on two devices, counts for "
            "the first one and blurs the difference a little."
        ),
    ),
    (
        "customers",
        mark("Customers, purchases, order value"),
        mark(
            "The three ways to grow: more customers, more purchases per customer, "
            "larger orders. Multiplied they make the revenue per visitor."
        ),
    ),
    (
        "repeat-rate",
        mark("Repeat rate"),
        mark(
            "Second conversions per first conversion. Good to know, never used to "
            "decide: a page that wins more chance buyers lowers it and is still "
            "better."
        ),
    ),
    (
        "funnel",
        mark("Funnel"),
        mark(
            "The steps from the visit to the last purchase, with the share that "
            "goes on from step to step."
        ),
    ),
    (
        "exploration",
        mark("Exploration"),
        mark(
            "A look at the data that was not planned, such as another worth. Good "
            "for ideas; it needs a new experiment to be proof."
        ),
    ),
    (
        "inconclusive",
        mark("Not to be told apart"),
        mark(
            "The difference, if there is one, is smaller than this experiment could"
            " see. That is a result too: keep the control."
        ),
    ),
    (
        "fingerprint",
        mark("Fingerprint of the events"),
        mark(
            "A short code of all events the report rests on. The same code, version"
            " and worth give the same report, to the last digit."
        ),
    ),
)


def glossary(reader: Reader) -> tuple[Term, ...]:
    """Explain the words in the reader's language."""
    return tuple(
        Term(key=key, name=reader.gettext(name), text=reader.gettext(text))
        for key, name, text in _TERMS
    )
