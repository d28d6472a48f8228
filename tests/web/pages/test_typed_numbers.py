"""Numbers as people type them, and keys made from names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abtest.web.pages.views.set_up_form import free_key, key_from
from abtest.web.pages.views.set_up_page import preview_url
from abtest.web.pages.views.typed_numbers import (
    read_number,
    read_percent,
    write_number,
    write_percent,
)
from abtest.web.render.qr import draw_qr
from abtest.web.render.reader import reader_of

TAGS = ("de-DE", "de-AT", "de-CH", "en-GB", "en-US")


@pytest.mark.parametrize(
    ("tag", "text", "number"),
    [
        ("de", "2,5", 2.5),
        ("de", "2.5", 2.5),
        ("de", "1.500", 1500),
        ("de", "1.500,25", 1500.25),
        ("de", "0.125", 0.125),
        ("en", "1,500", 1500),
        ("en", "1,500.25", 1500.25),
        ("en", "2,5", 2.5),
        ("en", "1.500", 1.5),
        ("de-CH", "1\N{RIGHT SINGLE QUOTATION MARK}500.5", 1500.5),
        ("de", "12 000 €", 12000),
        ("en", "4.5 %", 4.5),
        ("en", "-3", -3),
    ],
)
def test_numbers_are_read_as_they_are_meant(tag: str, text: str, number: float) -> None:
    assert read_number(text, reader_of(tag)) == number


@pytest.mark.parametrize("text", ["x", "1 x", "nan", "inf", "1,2,3.4.5", "--1"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="number"):
        read_number(text, reader_of("de"))


@given(st.floats(0, 1e9, allow_nan=False, allow_subnormal=False), st.sampled_from(TAGS))
def test_what_is_written_is_read_as_the_same(value: float, tag: str) -> None:
    reader = reader_of(tag)
    assert read_number(write_number(value, reader), reader) == value
    assert read_percent(write_percent(value, reader), reader) == value


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Größere Überschrift!", "groessere-ueberschrift"),
        ("  Café + 50 % ", "cafe-50"),
        ("日本", ""),
        ("x" * 60, "x" * 40),
    ],
)
def test_keys_are_made_from_names(name: str, key: str) -> None:
    assert key_from(name) == key


def test_a_taken_key_gets_a_number() -> None:
    assert free_key("a", []) == "a"
    assert free_key("a", ["a", "a-2"]) == "a-3"


def test_a_preview_keeps_query_and_hash() -> None:
    assert (
        preview_url("https://e.example/p?x=1&y=#top", "home", "b")
        == "https://e.example/p?x=1&y=&abtest_force=home.b#top"
    )


def test_a_code_is_an_image_with_a_name() -> None:
    svg = draw_qr("https://e.example/", title='<b> & "c"')
    assert svg.startswith('<svg role="img"')
    assert "&lt;b&gt; &amp;" in svg
    assert "<b>" not in svg
