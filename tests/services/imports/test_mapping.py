"""What a user may say about columns, and what is told when it makes no sense."""

import pytest

from abtest.domain.experiment import Experiment
from abtest.errors import AbtestError, ErrorCode
from abtest.services.definition_rules import to_experiment
from abtest.services.imports.mapping import (
    ColumnMapping,
    Shape,
    check_mapping,
    parse_mapping,
)
from tests.services.imports.importing import NOW, shop


def parsed(
    *columns: str,
    constants: tuple[str, ...] = (),
    translations: tuple[str, ...] = (),
    delays: tuple[str, ...] = (),
    by_day: bool = False,
) -> ColumnMapping:
    return parse_mapping(
        columns=columns,
        constants=constants,
        translations=translations,
        delays=delays,
        by_day=by_day,
    )


@pytest.fixture
def experiment() -> Experiment:
    return to_experiment(shop(), salt="salt", now=NOW)


def test_type_makes_a_row_an_event_and_variant_alone_a_visitor() -> None:
    assert parsed("visitor=v", "at=t", "type=x").shape is Shape.EVENT
    assert (
        parsed("visitor=v", "at=t", constants=("type=exposure",)).shape is Shape.EVENT
    )
    assert parsed("visitor=v", "at=t", "variant=x").shape is Shape.VISITOR
    assert parsed("day=d", by_day=True).shape is Shape.DAY


def test_columns_are_read_once_and_row_numbers_are_no_column() -> None:
    mapping = parsed("visitor=#row", "at=t", "step:lead=x", "value:buy=x")
    assert mapping.wanted == ("t", "x")


def test_last_equals_sign_parts_a_translation() -> None:
    mapping = parsed(translations=("variant:a=b: new=b", "type:buy=conversion:buy"))
    assert mapping.translations == {
        ("variant", "a=b: new"): "b",
        ("type", "buy"): "conversion:buy",
    }


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"columns": ("visitor",)}, "write --map FIELD=COLUMN"),
        ({"columns": ("vistor=v",)}, "'vistor' is no field"),
        ({"columns": ("step=",)}, "write --map FIELD=COLUMN"),
        ({"columns": ("visitor=a", "visitor=b")}, "gives visitor twice"),
        ({"columns": ("at=a",), "constants": ("at=b",)}, "--map and by --set"),
        ({"columns": ("attribute:x y=a",)}, "attribute 'x y' may have letters"),
        ({"columns": ("variant:a=b",)}, "'variant:a' is no field"),
        ({"translations": ("variant=b",)}, "write --translate FIELD:FROM=TO"),
        ({"translations": ("at:yesterday=today",)}, "cannot change 'at'"),
        ({"delays": ("buy=soon",)}, "give whole days"),
        ({"delays": ("buy=731",)}, "give whole days"),
    ],
)
def test_unreadable_options_say_how_to_write_them(
    given: dict[str, tuple[str, ...]], complaint: str
) -> None:
    with pytest.raises(AbtestError) as caught:
        parsed(*given.pop("columns", ()), **given)  # type: ignore[arg-type] # by name
    assert caught.value.code is ErrorCode.INVALID
    assert complaint in caught.value.detail


def test_daily_files_have_other_fields() -> None:
    with pytest.raises(AbtestError, match="'visitor' is no field of a file with one"):
        parsed("visitor=v", by_day=True)


PERSON = ("visitor=v", "at=t", "variant=x")
EVENT = ("visitor=v", "at=t", "type=x")
DAY = ("day=d", "exposures=n", "variant=x")


@pytest.mark.parametrize(
    ("mapping", "complaint"),
    [
        (parsed("visitor=v", "at=t"), "what is a row"),
        (parsed("visitor=v", "variant=x"), "at is missing"),
        (parsed("at=t", "variant=x"), "visitor is missing"),
        (parsed("visitor=v", "type=x"), "at is missing"),
        (parsed("at=t", "type=x"), "nobody is named"),
        (
            parsed(*EVENT, "step:buy=b"),
            "step:buy is for files with one row per visitor",
        ),
        (parsed(*PERSON, "step:bye=b"), "its steps are lead, buy"),
        (parsed(*PERSON, "value:buy=b"), "value:buy needs --map step:buy=COLUMN"),
        (parsed(*PERSON, "step:buy=b", "at:buy=c"), "give step:buy or at:buy"),
        (parsed(*PERSON, delays=("buy=3",)), "--delay buy needs --map step:buy"),
        (parsed(*DAY, by_day=True), "no conversions are mapped"),
        (parsed("day=d", "step:buy=b", by_day=True), "variant is missing"),
    ],
)
def test_incomplete_mappings_say_what_is_missing(
    mapping: ColumnMapping, complaint: str, experiment: Experiment
) -> None:
    with pytest.raises(AbtestError) as caught:
        check_mapping(mapping, experiment)
    assert complaint in caught.value.detail


@pytest.mark.parametrize(
    "mapping",
    [
        parsed(*PERSON, "step:lead=x", "at:buy=y", "value:buy=z"),
        parsed(*EVENT, "step=s", "value=z", "currency=c", "order=o", "customer=k"),
        parsed(*DAY, "step:lead=l", delays=("lead=14",), by_day=True),
    ],
)
def test_complete_mappings_pass(mapping: ColumnMapping, experiment: Experiment) -> None:
    check_mapping(mapping, experiment)


def test_values_need_an_experiment_with_a_currency() -> None:
    experiment = to_experiment(shop(currency=None), salt="salt", now=NOW)
    with pytest.raises(AbtestError, match="shop has no currency"):
        check_mapping(parsed(*EVENT, "value=z"), experiment)
