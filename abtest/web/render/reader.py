"""Somebody who reads: their language, and how numbers are written there."""

from dataclasses import dataclass
from functools import cache

from babel import Locale

from abtest.web.render.format import Format
from abtest.web.render.translate import Catalogue, catalogue

DEFAULT = "en"
LOCALES = {
    "de": "de_DE",
    "de-de": "de_DE",
    "de-at": "de_AT",
    "de-ch": "de_CH",
    "en": "en_GB",
    "en-gb": "en_GB",
    "en-us": "en_US",
}
"""Language tags that are understood, with their locale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Whom a page or a sentence is written for.

    Attributes:
        tag: language as HTML's `lang` wants it, for example `de-AT`.
        format: writes numbers and days.
    """

    tag: str
    catalogue: Catalogue
    format: Format

    def gettext(self, message: str, /, **values: str) -> str:
        """Say the message with the values put in its {places}."""
        return self.catalogue.gettext(message, **values)

    def ngettext(self, one: str, many: str, number: int, /, **values: str) -> str:
        """Say the message in the form that the number asks for, as {n} too."""
        shown = self.format.integer(number)
        return self.catalogue.ngettext(one, many, number, n=shown, **values)

    @property
    def language(self) -> str:
        """Language without the country."""
        return self.catalogue.language


@cache
def _reader(tag: str) -> Reader:
    name = LOCALES[tag]
    language, country = name.split("_")
    return Reader(
        tag=f"{language}-{country}",
        catalogue=catalogue(language),
        format=Format(Locale.parse(name)),
    )


def reader_of(tag: str) -> Reader:
    """Return the reader for a language tag; an unknown one gets English.

    Args:
        tag: `de`, `en`, or with a country: `de-AT`, `de-CH`, `en-US`.
    """
    known = tag.replace("_", "-").lower()
    candidates = (known, known.partition("-")[0], DEFAULT)
    return _reader(next(name for name in candidates if name in LOCALES))
