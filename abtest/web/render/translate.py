"""The catalogues of words: gettext files read into memory, English as the source.

A language has a file for each part of the pages; together they are one catalogue.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.pofile import read_po

LANGUAGES = ("en", "de")
CATALOGUES = Path(__file__).resolve().parents[1] / "translations"


def mark(message: str) -> str:
    """Return the message; marks a text for the catalogues that is said elsewhere."""
    return message


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The words of one language, by their English source.

    Attributes:
        plurals: forms for one and for many, by the English form for one.
    """

    language: str
    messages: Mapping[str, str]
    plurals: Mapping[str, tuple[str, str]]

    def find(self, message: str) -> str:
        """Return the message with its {places} still open."""
        return self.messages.get(message, message)

    def gettext(self, message: str, /, **values: str) -> str:
        """Say the message with the values put in its {places}."""
        return self.find(message).format_map(values)

    def ngettext(self, one: str, many: str, number: int, /, **values: str) -> str:
        """Say the message in the form that the number asks for."""
        forms = self.plurals.get(one, (one, many))
        return forms[number != 1].format_map(values)


@cache
def catalogue(language: str) -> Catalogue:
    """Return the catalogue of one of the `LANGUAGES`.

    Raises:
        ValueError: a text is fuzzy, which nobody should read.
    """
    messages: dict[str, str] = {}
    plurals: dict[str, tuple[str, str]] = {}
    for path in sorted((CATALOGUES / language / "LC_MESSAGES").glob("*.po")):
        for message in read_po(BytesIO(path.read_bytes()), locale=language):
            if message.fuzzy and message.id:
                raise ValueError(f"{path.name} of {language} is fuzzy: {message.id}")
            match message.id, message.string:
                case (str(source), str(text)) if source and text:
                    messages[source] = text
                case ((str(source), _), (str(one), str(many))) if one and many:
                    plurals[source] = (one, many)
                case _:
                    pass
    return Catalogue(language=language, messages=messages, plurals=plurals)
