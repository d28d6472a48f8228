"""The one error type of the house and its closed list of codes."""

from dataclasses import dataclass
from enum import StrEnum


class ErrorCode(StrEnum):
    """What went wrong, as far as a caller can act on it."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    NOT_ALLOWED = "not_allowed"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """One complaint about one field.

    Attributes:
        pointer: JSON pointer (RFC 6901) to the field, for example `/events/3/step`.
        code: stable machine word, for example `unknown_step`.
        detail: a sentence that names the value and what to do.
    """

    pointer: str
    code: str
    detail: str


class AbtestError(Exception):
    """An error whose text may be shown to the caller.

    Attributes:
        retry_after: seconds after which the caller may try again, where that is known.
    """

    def __init__(
        self,
        code: ErrorCode,
        detail: str,
        errors: tuple[FieldError, ...] = (),
        *,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.errors = errors
        self.retry_after = retry_after


def invalid_field(pointer: str, code: str, detail: str) -> AbtestError:
    """Build the error for exactly one bad field."""
    return AbtestError(
        ErrorCode.INVALID,
        detail,
        (FieldError(pointer=pointer, code=code, detail=detail),),
    )
