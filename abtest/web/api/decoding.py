"""Reads JSON bodies into typed requests, and says what is wrong with them."""

import re
from typing import TypeVar

import msgspec

from abtest.errors import AbtestError, ErrorCode, FieldError
from abtest.services.checks import shown

T = TypeVar("T")

_PATH = re.compile(r" - at `\$(?P<path>.*)`$")
_PART = re.compile(r"\.(?P<name>[^.\[\]]+)|\[(?P<index>\d+|\.\.\.)\]")
_FIELD = re.compile(r"(?P<what>unknown|required) field `(?P<name>[^`]*)`")


def decode(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """Read a JSON body.

    Raises:
        AbtestError: `invalid`; nothing of a body is used that is not right as a whole.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        complaint = complain(str(error), parse(body))
        raise AbtestError(ErrorCode.INVALID, complaint.detail, (complaint,)) from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise _malformed(error) from None


def parse(body: bytes) -> object:
    """Read a JSON body of any shape.

    Raises:
        AbtestError: `invalid`.
    """
    try:
        content: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise _malformed(error) from None
    return content


def complain(message: str, content: object) -> FieldError:
    """Say which value of the content is wrong, and how.

    Args:
        message: what the validation library says; it ends with the path.
        content: what was validated, as plain values.
    """
    found = _PATH.search(message)
    message = _PATH.sub("", message)
    parts = _parts(found["path"]) if found else []
    if field := _FIELD.search(message):
        name = field["name"]
        pointer = _pointer([*parts, name])
        if field["what"] == "required":
            return FieldError(
                pointer=pointer, code="required", detail=f"{name} is missing"
            )
        return FieldError(
            pointer=pointer,
            code="unknown_field",
            detail=f"{shown(name)} is not a field here; check its spelling",
        )
    name = str(parts[-1]) if parts else "the body"
    code, expected = _expectation(message)
    return FieldError(
        pointer=_pointer(parts),
        code=code,
        detail=f"{name} is {shown(_value_at(content, parts))}; {expected}",
    )


def _expectation(message: str) -> tuple[str, str]:
    if "RFC3339" in message or "timezone" in message:
        return "invalid_time", "write it with its offset, like 2026-01-31T12:00:00Z"
    match = re.match(r"Expected `([^`]+)`", message)
    if match is None:
        return "invalid_value", f"{message[:1].lower()}{message[1:]}"
    kinds = {
        "str": "a text", "int": "a whole number", "float": "a number",
        "bool": "true or false", "array": "a list", "object": "an object",
        "datetime": "a time like 2026-01-31T12:00:00Z", "null": "null",
    }  # fmt: skip
    names = [kinds.get(kind, kind) for kind in match[1].split(" | ")]
    return "invalid_type", f"send {' or '.join(names)}"


def _parts(path: str) -> list[str | int]:
    """Split `.events[3].step` into its steps; `[...]` is a key we are not told."""
    parts: list[str | int] = []
    for part in _PART.finditer(path):
        if part["name"]:
            parts.append(part["name"])
        elif part["index"].isdigit():
            parts.append(int(part["index"]))
    return parts


def _pointer(parts: list[str | int]) -> str:
    """Write a JSON pointer (RFC 6901)."""
    escaped = (str(part).replace("~", "~0").replace("/", "~1") for part in parts)
    return "".join(f"/{part}" for part in escaped)


def _value_at(content: object, parts: list[str | int]) -> object:
    for part in parts:
        match content, part:
            case dict(), str():
                content = content.get(part)
            case list(), int():
                content = content[part]
            case _:
                return None
    return content


def _malformed(error: Exception) -> AbtestError:
    why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
    return AbtestError(
        ErrorCode.INVALID,
        f"the body is not JSON ({why}); nothing was stored",
    )
