"""Every text of code and templates is in the German catalogue, and no other."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Message as Entry
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po
from jinja2 import Environment
from jinja2.ext import extract_from_ast

from abtest.web.render import translate
from abtest.web.render.reader import reader_of
from abtest.web.render.translate import CATALOGUES, catalogue

WEB = CATALOGUES.parent
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "gettext": None,
    "ngettext": (1, 2),
    "say": None,
    "mark": None,
    "rich": (2,),
}
Message = str | tuple[str, ...]


def in_code() -> Iterator[Message]:
    for path in sorted(WEB.rglob("*.py")):
        found = extract_from_file("python", path, keywords=KEYWORDS)
        for _, message, _, _ in found:
            yield message if isinstance(message, str) else tuple(message)


def in_templates() -> Iterator[Message]:
    environment = Environment(autoescape=True)
    for path in sorted(WEB.rglob("*.html")):
        syntax = environment.parse(path.read_text())
        for _, _, message in extract_from_ast(syntax, ("_",)):
            yield next(text for text in forms(message) if text)


def files(language: str) -> list[Path]:
    return sorted((CATALOGUES / language / "LC_MESSAGES").glob("*.po"))


def read(language: str) -> list[Entry]:
    """Return the messages of all files of a language."""
    return [
        message
        for path in files(language)
        for message in read_po(
            BytesIO(path.read_bytes()), locale=language, abort_invalid=True
        )
        if message.id
    ]


def forms(text: object) -> list[str]:
    """Return the one form of a text, or both where it depends on a number."""
    if isinstance(text, str):
        return [text]
    assert isinstance(text, tuple | list)
    return [form or "" for form in text]


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_german_has_every_text() -> None:
    wanted = {*in_code(), *in_templates()}
    german = [m.id for m in read("de")]
    assert wanted - set(german) == set()
    assert set(german) - wanted == set()
    assert len(german) == len(set(german)), "a text stands in two files"


@pytest.mark.parametrize("language", translate.LANGUAGES)
def test_nothing_is_fuzzy_or_empty(language: str) -> None:
    for message in read(language):
        assert not message.fuzzy, message.id
        assert all(forms(message.string)), message.id


def test_translations_keep_the_places() -> None:
    for message in read("de"):
        pairs = zip(forms(message.id), forms(message.string), strict=True)
        for source, text in pairs:
            assert places(source) == places(text), source


def test_the_word_significant_is_not_used() -> None:
    for english in (*in_code(), *in_templates()):
        assert "signific" not in "".join(english).lower()
    for message in read("de"):
        assert "signifik" not in str(message.string).lower()


def test_plurals() -> None:
    english, german = catalogue("en"), catalogue("de")
    one, many = "{n} day", "{n} days"
    assert english.ngettext(one, many, 1, n="1") == "1 day"
    assert english.ngettext(one, many, 0, n="0") == "0 days"
    assert german.ngettext(one, many, 1, n="1") == "1 Tag"
    assert german.ngettext(one, many, 14, n="14") == "14 Tage"


def test_an_unknown_text_is_said_as_it_is() -> None:
    assert catalogue("de").gettext("no such {thing}", thing="text") == "no such text"


def test_a_fuzzy_text_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "xx" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "words.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
        '#, fuzzy\nmsgid "a"\nmsgstr "b"\n'
    )
    monkeypatch.setattr(translate, "CATALOGUES", tmp_path)
    with pytest.raises(ValueError, match="fuzzy: a"):
        catalogue.__wrapped__("xx")


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("de", "de-DE"),
        ("de_AT", "de-AT"),
        ("de-ch", "de-CH"),
        ("de-LU", "de-DE"),
        ("en", "en-GB"),
        ("en-US", "en-US"),
        ("fr", "en-GB"),
        ("", "en-GB"),
    ],
)
def test_readers_by_tag(tag: str, expected: str) -> None:
    assert reader_of(tag).tag == expected
