"""Two shops that test a page: what they say, what they do and what comes out."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.browser.servers import Json

DAYS = 8
"""On so many days visitors enter, from the day after the start on."""

VISITORS = 150
"""Of each variant on each of these days."""

WINDOW = 28
RETURN = 14
"""Days after which customers come back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What the journey looks for, in the reader's language."""

    waiting: str
    works: str
    today: str
    trying: str
    declared: str
    save: str
    plan: str
    start: str
    close: str
    decide: str
    decided: str
    make_link: str
    end_link: str
    winners: str


ENGLISH = Words(
    waiting="Waiting for the first visitor",
    works="It works",
    today="The first visitors came today.",
    trying="You are trying out a worth",
    declared="Back to the declared worth",
    save="Save as draft",
    plan="Calculate",
    start="Start",
    close="Take no new visitors",
    decide="Decide …",
    decided="Decided.",
    make_link="Make a link",
    end_link="End this link",
    winners=r"\b(wins|winner|is better|is worse|brings more)\b",
)
GERMAN = Words(
    waiting="Warten auf den ersten Besucher",
    works="Es funktioniert",
    today="Heute kamen die ersten Besucher.",
    trying="Sie probieren",
    declared="Zurück zum festgelegten Wert",
    save="Als Entwurf speichern",
    plan="Berechnen",
    start="Starten",
    close="Keine neuen Besucher mehr",
    decide="Entscheiden …",
    decided="Entschieden.",
    make_link="Link erstellen",
    end_link="Link beenden",
    winners=r"\b(gewinnt|Gewinner|ist besser|ist schlechter|bringt mehr)\b",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """An experiment from its idea to what became of it.

    Attributes:
        decimal: sign between units and tenths.
        second_points: what a second conversion is worth beside a first one.
        buyers, regulars: of `VISITORS` a day, who buys and who buys again; control
            and variant.
        verdict: in the end.
        headline: of the verdict, with the names of variant and control.
    """

    locale: str
    currency: str
    words: Words
    name: str
    variants: tuple[str, str]
    second_points: str
    buyers: tuple[int, int]
    regulars: tuple[int, int]
    verdict: str
    headline: str
    note: str

    def enter(self, key: str, start: datetime) -> Iterator[dict[str, Json]]:
        """Tell who saw which variant, and who bought at once."""
        for visitor, variant, at, place in _visitors(start):
            yield {
                "id": f"seen-{visitor}",
                "type": "exposure",
                "experiment": key,
                "variant": "ab"[variant],
                "visitor": visitor,
                "at": at.isoformat(),
            }
            if place < self.buyers[variant]:
                yield self._purchase(f"first-{visitor}", visitor, at, minutes=10)

    def come_back(self, start: datetime) -> Iterator[dict[str, Json]]:
        """Tell who bought again, weeks later."""
        for visitor, variant, at, place in _visitors(start):
            if place < self.regulars[variant]:
                yield self._purchase(f"again-{visitor}", visitor, at, days=RETURN)

    def _purchase(
        self, order: str, visitor: str, at: datetime, **later: int
    ) -> dict[str, Json]:
        return {
            "id": order,
            "type": "conversion",
            "step": "purchase",
            "visitor": visitor,
            "order": order,
            "value": 49.9,
            "currency": self.currency,
            "at": (at + timedelta(**later)).isoformat(),
        }


def _visitors(start: datetime) -> Iterator[tuple[str, int, datetime, int]]:
    for day in range(1, DAYS + 1):
        for variant in (0, 1):
            for place in range(VISITORS):
                at = start + timedelta(days=day)
                yield f"v-{day}-{variant}-{place}", variant, at, place


WINNER = Story(
    locale="en-GB",
    currency="GBP",
    words=ENGLISH,
    name="Honest delivery times",
    variants=("Present page", "New page"),
    second_points="3",
    buyers=(15, 18),
    regulars=(3, 9),
    verdict="winner",
    headline="“New page” is better than “Present page”.",
    note="More customers, and they come back.",
)
TRADEOFF = Story(
    locale="de-DE",
    currency="EUR",
    words=GERMAN,
    name="Ehrliche Lieferzeiten",
    variants=("Bisherige Seite", "Neue Seite"),
    second_points="5,5",
    buyers=(20, 10),
    regulars=(2, 9),
    verdict="tradeoff",
    headline="„Neue Seite“ bringt mehr Gesamtwert als „Bisherige Seite“",
    note="Weniger, aber treue Kunden: Das passt zu uns.",
)
