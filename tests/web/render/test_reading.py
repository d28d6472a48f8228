"""The help page and the documentation say the same about reading a result."""

from pathlib import Path

import pytest

from abtest.web.render.reader import reader_of
from abtest.web.render.reading import meanings, questions

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "how-to-read.md"


@pytest.mark.parametrize(("language", "half"), [("en", 0), ("de", 1)])
def test_every_sentence_of_the_help_stands_in_the_document(
    language: str, half: int
) -> None:
    text = DOCUMENT.read_text().split("\n# Ein Ergebnis lesen\n")[half]
    told = " ".join(text.split())
    reader = reader_of(language)
    rows = [f"| {m.says} | {m.means} | {m.you} |" for m in meanings(reader)]
    assert [row for row in rows if row not in told] == []
    for one in questions(reader):
        assert f"**{one.question}** {one.answer}" in told
    table = [line for line in text.splitlines() if line.strip().startswith("|")]
    assert len(rows) == len(table) - 2
