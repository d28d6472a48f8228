"""Every example of docs/api.md is run, in its order, on a fresh service."""

import json
import re
from pathlib import Path
from typing import Any

from tests.web.api.conftest import Answer, Asker

DOCUMENT = Path(__file__).parents[3] / "docs" / "api.md"
EXAMPLE = re.compile(
    r"```http\n(?P<asked>.*?)```.*?^Answer `(?P<status>\d+)`.*?"
    r"```json\n(?P<answer>.*?)```",
    re.DOTALL | re.MULTILINE,
)
EXAMPLES = list(EXAMPLE.finditer(DOCUMENT.read_text("utf-8")))


def run(ask: Asker, asked: str) -> Answer:
    head, _, body = asked.partition("\n\n")
    request, *lines = head.splitlines()
    method, path = request.split()
    headers = dict(line.split(": ", 1) for line in lines)
    for kind, secret in ask.secrets.items():
        for name, value in headers.items():
            headers[name] = value.replace(f"Bearer {kind.upper()}", f"Bearer {secret}")
    return ask(method, path, body.encode() or None, headers=headers)


def fits(shown: Any, given: Any) -> bool:  # noqa: ANN401 - JSON
    """Compare; "..." stands for anything, as a name for all other members."""
    match shown, given:
        case "...", _:
            return True
        case dict(), dict():
            names = shown.keys() - {"..."}
            complete = "..." in shown or names == given.keys()
            return complete and all(
                name in given and fits(shown[name], given[name]) for name in names
            )
        case list(), list():
            return len(shown) == len(given) and all(map(fits, shown, given))
        case _:
            return bool(shown == given)


def test_every_example_does_what_is_said(ask: Asker) -> None:
    assert len(EXAMPLES) == DOCUMENT.read_text("utf-8").count("```http")
    for example in EXAMPLES:
        answer = run(ask, example["asked"])
        assert answer.status == int(example["status"]), answer.body
        shown = json.loads(example["answer"])
        assert fits(shown, answer.content), (example["asked"], answer.content)
