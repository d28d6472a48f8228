"""Collects everything that is wrong with a definition, field by field."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from abtest.errors import AbtestError, ErrorCode, FieldError
from abtest.services.checks import KEY_RULE, is_key, shown


@dataclass(frozen=True, slots=True)
class Complaints:
    """What was found so far, so that nobody mends one field at a time."""

    errors: list[FieldError] = field(default_factory=list)

    def add(self, pointer: str, code: str, detail: str) -> None:
        """Note one complaint."""
        self.errors.append(FieldError(pointer=pointer, code=code, detail=detail))

    def finish(self) -> None:
        """Raise everything that was found.

        Raises:
            AbtestError: `invalid`, unless nothing was found.
        """
        if not self.errors:
            return
        detail = self.errors[0].detail
        if more := len(self.errors) - 1:
            detail += f" (and {more} more)"
        raise AbtestError(ErrorCode.INVALID, detail, tuple(self.errors))

    def key(self, pointer: str, key: str) -> None:
        """A key must have the form of one."""
        if not is_key(key):
            self.add(
                pointer, "invalid_key", f"key {shown(key)} is unfit; use {KEY_RULE}"
            )

    def text(self, pointer: str, text: str, *, longest: int) -> None:
        """A text must not be too long."""
        if len(text) > longest:
            self.add(
                pointer,
                "too_long",
                f"{shown(text)} has {len(text)} characters; use at most {longest}",
            )

    def unique(self, pointer: str, keys: list[str]) -> None:
        """No key may stand twice in a list."""
        seen: set[str] = set()
        for index, key in enumerate(keys):
            if key in seen:
                self.add(
                    f"{pointer}/{index}/key",
                    "duplicate_key",
                    f"key {shown(key)} is used twice; give each its own",
                )
            seen.add(key)

    def one_of(self, pointer: str, text: str, choices: Iterable[str]) -> None:
        """A word must be one of a closed list."""
        if text not in choices:
            self.add(
                pointer,
                "invalid_choice",
                f"{shown(text)} is not known; use one of {', '.join(choices)}",
            )

    def within(
        self, pointer: str, value: float, *, lowest: float, highest: float
    ) -> None:
        """A number must lie between two that are allowed themselves."""
        if not lowest <= value <= highest:
            self.out(pointer, value, f"{lowest:g} to {highest:g}")

    def between(
        self, pointer: str, value: float, *, above: float, below: float
    ) -> None:
        """A number must lie between two that are not allowed themselves."""
        if not above < value < below:
            self.out(pointer, value, f"more than {above:g} and less than {below:g}")

    def out(self, pointer: str, value: float, allowed: str) -> None:
        """Say that a number lies outside of what is allowed."""
        name = pointer.rpartition("/")[2]
        self.add(pointer, f"invalid_{name}", f"{name} is {value:g}; use {allowed}")
