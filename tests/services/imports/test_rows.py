"""Rows of every shape, as the events they become."""

import json
from datetime import UTC, datetime

import pytest

from abtest.domain.events import Conversion, Exposure, Identity, Refund
from abtest.domain.visitor import to_milliseconds
from abtest.services.identifiers import to_event_id
from tests.services.imports.importing import DAILY, LOG, PEOPLE, Importer, shop

MARCH = to_milliseconds(datetime(2026, 3, 1, tzinfo=UTC))
DAY = 86_400_000


class TestOneRowPerEvent:
    def test_exposure_is_trusted_and_has_its_attributes(
        self, importer: Importer
    ) -> None:
        (event,) = importer.events(
            ["who,when,what,arm,age,zip,note", "v1,2026-03-01,exposure,b,34.5,01234,"],
            f"{LOG} --map variant=arm --map attribute:age=age --map attribute:zip=zip"
            " --map attribute:note=note",
        )
        assert isinstance(event, Exposure)
        assert (event.visitor, event.variant, event.at) == ("v1", "b", MARCH)
        assert event.trusted
        assert json.loads(event.attributes_json or "") == {"age": 34.5, "zip": "01234"}

    def test_conversion_has_value_order_and_people(self, importer: Importer) -> None:
        (event,) = importer.events(
            ["when,what,c,k,v,o", "2026-03-01T00:00:00Z,conversion,c9,buy,49.90,A-1"],
            "--map at=when --map type=what --map customer=c --map step=k --map value=v"
            " --map order=o",
        )
        assert isinstance(event, Conversion)
        assert (event.visitor, event.customer, event.order) == (None, "c9", "A-1")
        assert (event.step, event.value, event.currency) == ("buy", 4990, "EUR")

    def test_words_are_translated(self, importer: Importer) -> None:
        events = importer.events(
            ["who,when,what,arm", "v1,2026-03-01,view,B: new", "v1,2026-03-02,sale,"],
            f"{LOG} --map variant=arm --translate 'variant:B: new=b'"
            " --translate type:view=exposure --translate type:sale=conversion:buy",
        )
        assert [type(event) for event in events] == [Exposure, Conversion]

    def test_refunds_and_identities(self, importer: Importer) -> None:
        whole, part, joined = importer.events(
            [
                "who,when,what,order,amount,customer",
                ",2026-03-01,refund,A-1,,",
                ",2026-03-01,refund,A-2,5,",
                "v1,2026-03-01,identify,,,c9",
            ],
            f"{LOG} --map order=order --map value=amount --map customer=customer",
        )
        assert isinstance(whole, Refund)
        assert isinstance(part, Refund)
        assert isinstance(joined, Identity)
        assert (whole.order, whole.value, part.value) == ("A-1", None, 500)
        assert (joined.visitor, joined.customer) == ("v1", "c9")

    def test_ignored_rows_are_counted(self, importer: Importer) -> None:
        summary = importer.load(
            ["who,when,what", "v1,2026-03-01,scroll", "v1,never,scroll"],
            f"{LOG} --translate type:scroll=ignore",
        )
        (left_out,) = summary.left_out
        assert (left_out.reason, left_out.rows, summary.events) == ("ignored", 2, 0)

    def test_equal_rows_are_as_many_purchases(self, importer: Importer) -> None:
        """Two equal purchases on a day are two; a repeated order is one."""
        rows = ["who,when,what,order", *["v1,2026-03-01,conversion:buy,"] * 3]
        rows += ["v1,2026-03-01,conversion:buy,A-1"] * 2
        summary = importer.load(rows, f"{LOG} --map order=order")
        assert (summary.accepted, summary.duplicates) == (4, 1)

    def test_own_ids_are_those_of_the_api(self, importer: Importer) -> None:
        uuid = "0192f0c1-2b3c-7d4e-8f50-112233445566"
        events = importer.events(
            [
                "who,when,what,id",
                f"v1,2026-03-01,conversion:buy,{uuid}",
                "v2,2026-03-01,conversion:buy,A7",
            ],
            f"{LOG} --map event=id",
        )
        assert [event.id for event in events] == [to_event_id(uuid), to_event_id("A7")]

    @pytest.mark.parametrize(
        ("row", "column", "code", "remedy"),
        [
            ("v1,2026-03-01,exposure,c,,,", "arm", "unknown_variant", "has a, b"),
            ("v1,2026-03-01,sale,,,,", "what", "unknown_type", "type:sale="),
            ("v1,2026-03-01,conversion,,bye,,", "key", "unknown_step", "lead, buy"),
            ("v1,2026-03-01,conversion:bye,,,,", "what", "unknown_step", "lead, buy"),
            ("v1,2026-03-01,conversion,,buy,5,USD", "money", "wrong_currency", "EUR"),
            ("v1,2026-03-01,conversion,,buy,-5,", "paid", "negative_value", "refund"),
            ("v1,2027-03-01,exposure,a,,,", "when", "at_in_future", "future"),
            ("v1,1926-03-01,exposure,a,,,", "when", "at_too_old", "1990"),
            (",2026-03-01,exposure,a,,,", "who", "required", "is empty"),
            ("x@example.com,2026-03-01,exposure,a,,,", "who", "not_a_person", "hash"),
            ("guest,2026-03-01,conversion,,buy,,", "who", "not_a_person", "placehold"),
            ("v1,2026-03-01,refund,,,,", "order", "required", "names no order"),
        ],
    )
    def test_bad_cells_name_column_value_and_remedy(
        self, importer: Importer, row: str, column: str, code: str, remedy: str
    ) -> None:
        summary = importer.load(
            ["who,when,what,arm,key,paid,money", row],
            f"{LOG} --map variant=arm --map step=key --map value=paid"
            " --map currency=money --on-error skip",
        )
        (bad,) = summary.bad_rows
        assert (bad.line, bad.column, bad.code) == (2, column, code)
        assert remedy in bad.detail
        assert bad.value in row

    def test_giant_ids_and_attributes_are_refused(self, importer: Importer) -> None:
        giant = "x" * 100_000
        summary = importer.load(
            [
                "who,when,what,arm,note,order",
                f"{giant},2026-03-01,exposure,a,,",
                f"v1,2026-03-01,exposure,a,{giant},",
                f"v1,2026-03-01,conversion:buy,,,{giant}",
            ],
            f"{LOG} --map variant=arm --map attribute:note=note --map order=order"
            " --on-error skip",
        )
        assert [bad.code for bad in summary.bad_rows] == [
            "not_a_person",
            "too_long",
            "invalid_order",
        ]
        assert all(len(bad.detail) < 200 for bad in summary.bad_rows)


class TestOneRowPerVisitor:
    def test_flags_dates_delays_and_values(self, importer: Importer) -> None:
        events = importer.events(
            [
                "who,when,arm,lead,paid_at,paid",
                "v1,2026-03-01,a,1,2026-03-09T10:00:00Z,20.00",
                "v2,2026-03-01,b,0,,0",
            ],
            f"{PEOPLE} --map step:lead=lead --delay lead=2 --map at:buy=paid_at"
            " --map value:buy=paid",
        )
        assert [type(event) for event in events] == [
            Exposure,
            Conversion,
            Conversion,
            Exposure,
        ]
        _, lead, buy, _ = events
        assert isinstance(lead, Conversion)
        assert isinstance(buy, Conversion)
        assert (lead.step, lead.at, lead.value) == ("lead", MARCH + 2 * DAY, None)
        assert (buy.step, buy.at, buy.value) == (
            "buy",
            MARCH + 8 * DAY + 36_000_000,
            2000,
        )

    def test_empty_flag_leaves_the_visitor_out(self, importer: Importer) -> None:
        summary = importer.load(
            ["who,when,arm,lead", "v1,2026-03-01,a,", "v2,2026-03-01,a,0"],
            f"{PEOPLE} --map step:lead=lead",
        )
        (left_out,) = summary.left_out
        assert (left_out.reason, left_out.visitors) == ("not_followed_up", 1)
        assert summary.accepted == 1

    def test_value_without_its_step_is_a_mistake(self, importer: Importer) -> None:
        error = importer.refusal(
            ["who,when,arm,buy,paid", "v1,2026-03-01,a,0,20"],
            f"{PEOPLE} --map step:buy=buy --map value:buy=paid",
        )
        assert "buy was not reached" in error.detail

    def test_rows_without_a_name_are_named_after_file_and_number(
        self, importer: Importer
    ) -> None:
        events = importer.events(
            ["arm,when", "a,2026-03-01", "b,2026-03-01"],
            "--map visitor=#row --map at=when --map variant=arm",
        )
        assert [getattr(event, "visitor", None) for event in events] == [
            "rows-1",
            "rows-2",
        ]


class TestOneRowPerDay:
    def test_a_day_becomes_visitors_with_nested_steps(self, importer: Importer) -> None:
        events = importer.events(
            ["day,seen,leads,buyers", "2026-03-01,4,2,1"], f"{DAILY} --delay buy=14"
        )
        exposed = [e for e in events if isinstance(e, Exposure)]
        leads = [e for e in events if isinstance(e, Conversion) and e.step == "lead"]
        (buyer,) = (e for e in events if isinstance(e, Conversion) and e.step == "buy")
        assert len({e.visitor for e in exposed}) == 4
        assert len({e.visitor for e in leads}) == 2
        assert buyer.visitor in {e.visitor for e in leads}
        assert {e.at for e in exposed} == {MARCH + DAY // 2}
        assert buyer.at == MARCH + DAY // 2 + 14 * DAY
        assert {e.variant for e in exposed} == {"a"}

    @pytest.mark.parametrize(
        "row", ["2026-03-01,4,2,", "2026-03-01,4,2", "2026-03-01,4,NA,0", "2026-03-01"]
    )
    def test_empty_is_not_zero(self, importer: Importer, row: str) -> None:
        summary = importer.load(
            ["day,seen,leads,buyers", row, "2026-03-02,3,0,0"], DAILY
        )
        (left_out,) = summary.left_out
        assert left_out.reason == "not_followed_up"
        assert [str(day) for day in left_out.days] == ["2026-03-01"]
        assert (summary.rows, summary.events, summary.bad) == (2, 3, 0)

    @pytest.mark.parametrize(
        ("row", "complaint"),
        [
            ("2026-03-01,4,5,0", "is more than the 4 exposures"),
            ("2026-03-01,4,2,3", "is more than the 2 lead"),
            ("2026-03-01,,2,1", "is empty although conversions are given"),
            ("2026-03-01,4,two,1", "is no count"),
            ("2026-03-01,4,-2,1", "is no count"),
            ("2026-06-01,4,2,1", "is not over yet"),
            ("2026-05-25,4,2,1", "cannot be known before 2026-06-08 is over"),
            ("first of May,4,2,1", "is no time"),
        ],
    )
    def test_impossible_days(
        self, importer: Importer, row: str, complaint: str
    ) -> None:
        error = importer.refusal(
            ["day,seen,leads,buyers", row], f"{DAILY} --delay buy=14"
        )
        assert complaint in error.detail

    def test_later_file_adds_what_is_new(self, importer: Importer) -> None:
        importer.load(["day,seen,leads,buyers", "2026-03-01,4,2,"], DAILY)
        first = importer.load(["day,seen,leads,buyers", "2026-03-01,4,2,1"], DAILY)
        assert (first.accepted, first.duplicates) == (7, 0)
        rows = ["day,seen,leads,buyers", "2026-03-01,5,2,2", "2026-03-02,1,1,1"]
        later = importer.load(rows, DAILY)
        assert (later.accepted, later.duplicates) == (2 + 3, 7)


def test_shape_of_the_shop() -> None:
    """What the rows above lean on."""
    assert [step.key for step in shop().funnel] == ["lead", "buy"]
