"""Which currency an event's money is in, and what it is in minor units."""

from abtest.domain.money import is_currency, to_minor
from abtest.errors import invalid_field
from abtest.services.catalogue import Currencies
from abtest.services.checks import listed, shown


def read_money(
    value: float | None, currency: str | None, currencies: Currencies
) -> tuple[int | None, str | None]:
    """Return an event's value in minor units, and its currency.

    Raises:
        AbtestError: `invalid`.
    """
    currency = read_currency(currency, currencies)
    if value is None:
        return None, currency
    if currency is None and currencies.declared:
        raise invalid_field(
            "/currency",
            "required",
            f"currency is missing and experiments use {listed(currencies.declared)};"
            " send the one the value is in",
        )
    return to_cents("/value", value, currency), currency


def read_currency(told: str | None, currencies: Currencies) -> str | None:
    """Return the currency told, or the one that all experiments share.

    Raises:
        AbtestError: `invalid` when it is none, or when every experiment that it could
            count for names another one.
    """
    if told is None:
        return currencies.sole
    if not is_currency(told):
        raise invalid_field(
            "/currency",
            "invalid_currency",
            f"currency {shown(told)} is none; write it as three capital letters,"
            ' for example "EUR"',
        )
    if not currencies.is_open and told not in currencies.declared:
        raise invalid_field(
            "/currency",
            "wrong_currency",
            f"currency {told} fits no experiment;"
            f" send the value in {listed(currencies.declared)}",
        )
    return told


def to_cents(pointer: str, amount: float, currency: str | None) -> int:
    """Turn major units into minor units.

    Raises:
        AbtestError: `invalid` for less than nothing, or more than any order.
    """
    if amount < 0:
        raise invalid_field(
            pointer,
            "negative_value",
            f"{pointer[1:]} is {amount:g}; send what was paid as a positive number,"
            " and money that went back as a refund",
        )
    try:
        return to_minor(amount, currency)
    except ValueError as error:
        raise invalid_field(
            pointer, "invalid_value", f"{pointer[1:]} {error}; check its unit"
        ) from error
