"""What may be declared and sent: goals, ids of persons, and rights of keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abtest.domain.access import RIGHTS, KeyKind, Right
from abtest.domain.events import why_not_a_person
from abtest.domain.funnel import ConversionGoal, LaterStep, Repeat, StepKey

BUY, UPSELL = StepKey("buy"), StepKey("upsell")


@pytest.mark.parametrize("ordinal", [1, 0, -1])
def test_a_repeat_is_at_least_the_second(ordinal: int) -> None:
    with pytest.raises(ValueError, match="at least 2"):
        Repeat(step=BUY, ordinal=ordinal)


@pytest.mark.parametrize("gap", [-0.1, 8760.1, float("nan"), float("inf")])
def test_a_gap_out_of_bounds(gap: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 8760"):
        Repeat(step=BUY, min_gap_hours=gap)


def test_the_longest_gap() -> None:
    assert Repeat(step=BUY, min_gap_hours=8760).min_gap_hours == 8760


def test_goals_that_contradict_themselves() -> None:
    with pytest.raises(ValueError, match="the first conversion's step"):
        ConversionGoal(first=BUY, second=Repeat(step=UPSELL))
    with pytest.raises(ValueError, match="use an ordinal"):
        ConversionGoal(first=BUY, second=LaterStep(step=BUY))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is empty"),
        (" \t ", "is empty"),
        ("a\nb", "control character"),
        ("a\x00", "control character"),
        ("a\x85b", "control character"),
        ("a\u2028b", "control character"),
        ("a\ud800", "control character"),
        ("anna@example.org", "e-mail"),
        ("id:anna.b+c@mail.example.com", "e-mail"),
        ("null", "placeholder"),
        (" Undefined ", "placeholder"),
        ("[object Object]", "placeholder"),
        ("GUEST", "placeholder"),
    ],
)
def test_what_cannot_be_a_person(text: str, complaint: str) -> None:
    found = why_not_a_person(text)
    assert found is not None
    assert complaint in found


@pytest.mark.parametrize(
    "text",
    [
        "v1",
        "01890a5d-ac96-774b-bcce-b302099a8057",
        "Jürgen",
        "😀",
        "a@b",
        "@home",
        "guest-7",
        "c:9",
    ],
)
def test_what_may_be_a_person(text: str) -> None:
    assert why_not_a_person(text) is None


@given(st.uuids())
def test_every_uuid_may_be_a_person(one: object) -> None:
    assert why_not_a_person(str(one)) is None


@pytest.mark.parametrize(
    ("kind", "rights"),
    [
        ("pk", {"assign", "record"}),
        ("sk", {"assign", "record", "record_trusted"}),
        ("rk", {"read"}),
        ("ak", {"read", "manage"}),
    ],
)
def test_the_table_of_rights(kind: str, rights: set[str]) -> None:
    assert RIGHTS[KeyKind(kind)] == {Right(right) for right in rights}
    assert len(RIGHTS) == 4
