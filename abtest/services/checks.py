"""Checks of single values that callers send, and how a bad value is named."""

import json
import re
from collections.abc import Collection, Mapping

from abtest.domain.events import MAX_PERSON_ID, why_not_a_person
from abtest.errors import invalid_field

MAX_SHOWN = 60
"""Characters of a bad value that are repeated to the caller."""

MAX_LISTED = 8

MAX_ATTRIBUTES = 30
MAX_ATTRIBUTES_BYTES = 8192

KEY_RULE = "1 to 64 letters, digits and _ . - beginning with a letter or digit"

AttributeValue = str | int | float | bool | None

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def shown(value: object) -> str:
    """Return the value as it may stand in a sentence, shortened."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    if len(text) > MAX_SHOWN:
        text = f"{text[: MAX_SHOWN - 1]}…"
    return json.dumps(text, ensure_ascii=False) if isinstance(value, str) else text


def listed(names: Collection[str]) -> str:
    """Name the first few of the values that would have been right."""
    few = list(names)[:MAX_LISTED]
    more = "" if len(names) <= MAX_LISTED else " …"
    return (", ".join(few) or "none yet") + more


def is_key(text: str) -> bool:
    """Tell whether the text may be the key of an experiment, variant or step."""
    return _KEY.fullmatch(text) is not None


def check_length(pointer: str, text: str, *, longest: int) -> str:
    """Return a text of 1 to `longest` characters.

    Raises:
        AbtestError: `invalid`.
    """
    if not text:
        raise invalid_field(pointer, "required", f"{_name(pointer)} is empty")
    if len(text) > longest:
        raise invalid_field(
            pointer,
            "too_long",
            f"{_name(pointer)} is {shown(text)} with {len(text)} characters;"
            f" use at most {longest}",
        )
    return text


def check_person(pointer: str, text: str) -> str:
    """Return a text that can be the id of a visitor or customer.

    Raises:
        AbtestError: `invalid`.
    """
    if text:
        check_length(pointer, text, longest=MAX_PERSON_ID)
    if why := why_not_a_person(text):
        code = "required" if not text.strip() else "not_a_person"
        raise invalid_field(pointer, code, f"{_name(pointer)} {shown(text)} {why}")
    return text


def attributes_json(
    pointer: str, attributes: Mapping[str, AttributeValue] | None
) -> str | None:
    """Write the attributes of a visitor as JSON with sorted names.

    Raises:
        AbtestError: `invalid` for too many of them, or too long ones.
    """
    if not attributes:
        return None
    if len(attributes) > MAX_ATTRIBUTES:
        raise invalid_field(
            pointer,
            "too_many",
            f"{len(attributes)} attributes were sent; send at most {MAX_ATTRIBUTES}",
        )
    text = json.dumps(attributes, ensure_ascii=False, sort_keys=True)
    if len(text.encode()) > MAX_ATTRIBUTES_BYTES:
        raise invalid_field(
            pointer,
            "too_long",
            f"the attributes take {len(text.encode())} bytes;"
            f" send at most {MAX_ATTRIBUTES_BYTES}",
        )
    return text


def _name(pointer: str) -> str:
    return pointer.rpartition("/")[2]
