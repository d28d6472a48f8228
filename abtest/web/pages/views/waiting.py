"""How long somebody has to wait, in words."""

from abtest.web.render.reader import Reader

_MINUTE = 60


def say_wait(reader: Reader, seconds: int) -> str:
    """Say that there were too many attempts, and when the next is possible."""
    if seconds < _MINUTE:
        return reader.ngettext(
            "Too many attempts. Please try again in {n} second.",
            "Too many attempts. Please try again in {n} seconds.",
            seconds,
        )
    return reader.ngettext(
        "Too many attempts. Please try again in {n} minute.",
        "Too many attempts. Please try again in {n} minutes.",
        -(-seconds // _MINUTE),
    )
