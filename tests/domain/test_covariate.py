"""The covariate of an exposure as an integer."""

import json

import pytest

from abtest.domain.covariate import covariate_of


@pytest.mark.parametrize(
    ("told", "scaled"),
    [
        (3, 30_000),
        (-2, -20_000),
        (0.1, 1_000),
        (12.34565, 123_456),
        (12.34575, 123_458),
        ("4.5", 45_000),
        (" 7 ", 70_000),
        (True, 10_000),
        (False, 0),
        (1e300, 10**11),
        (-1e300, -(10**11)),
        (1e-300, 0),
        ("many", 0),
        ("NaN", 0),
        ("inf", 0),
        (None, 0),
        ([1], 0),
    ],
)
def test_a_number_keeps_four_decimals(told: object, scaled: int) -> None:
    assert covariate_of(json.dumps({"orders": told, "other": 5}), "orders") == scaled


@pytest.mark.parametrize(
    "attributes",
    [
        None,
        "{}",
        '{"other": 5}',
        "[5]",
        '{"orders": NaN}',
        '{"orders": 1e99999999999999999999}',
    ],
)
def test_what_is_missing_counts_as_nothing(attributes: str | None) -> None:
    assert covariate_of(attributes, "orders") == 0


def test_a_number_of_many_digits_is_no_trap() -> None:
    assert covariate_of('{"orders": ' + "9" * 5000 + "}", "orders") == 10**11
