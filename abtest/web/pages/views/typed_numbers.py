"""Numbers in form fields: written as their reader does, read however they are typed."""

import re
from decimal import Decimal, InvalidOperation

from babel.numbers import get_decimal_symbol, get_group_symbol

from abtest.web.render.reader import Reader

_SPACES = re.compile("[\\s'\N{RIGHT SINGLE QUOTATION MARK}%€$£]")


def write_number(value: float, reader: Reader) -> str:
    """Write every digit, so that the same number is read again."""
    return _written(Decimal(repr(float(value))), reader)


def write_percent(share: float, reader: Reader) -> str:
    """Write a share in percent, without the sign."""
    return _written(Decimal(repr(float(share))).scaleb(2), reader)


def read_number(typed: str, reader: Reader) -> float:
    """Read a number with a decimal comma or point, whichever the reader uses.

    The sign that stands last is the decimal one when both appear; one that groups
    thousands in the reader's country does so before exactly three digits.

    Raises:
        ValueError: it is none.
    """
    return float(_read(typed, reader))


def read_percent(typed: str, reader: Reader) -> float:
    """Read a share that was typed in percent.

    Raises:
        ValueError: it is none.
    """
    return float(_read(typed, reader).scaleb(-2))


def _written(value: Decimal, reader: Reader) -> str:
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text.replace(".", get_decimal_symbol(reader.format.locale))


def _read(typed: str, reader: Reader) -> Decimal:
    text = _SPACES.sub("", typed)
    marks = [c for c in text if c in ",."]
    if len(set(marks)) == 2:
        text = text.replace(next(c for c in ",." if c != marks[-1]), "")
    elif _groups_thousands(text, reader):
        text = text.replace(get_group_symbol(reader.format.locale), "")
    try:
        value = Decimal(text.replace(",", "."))
    except InvalidOperation:
        raise ValueError(f"{typed!r} is no number") from None
    if not value.is_finite():
        raise ValueError(f"{typed!r} is no finite number")
    return value


def _groups_thousands(text: str, reader: Reader) -> bool:
    mark = re.escape(get_group_symbol(reader.format.locale))
    return re.fullmatch(rf"[-+]?[1-9]\d{{0,2}}({mark}\d{{3}})+", text) is not None
