"""One line per request, that nobody else can write and that names nobody."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from abtest.web.guards.logs import ACCESS, log_request, set_up_logs
from abtest.web.guards.request_id import current_request

EVIL = 'x\r\n{"level": "fake"}\x1b[2J\u2028\x85'


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, access = root.handlers[:], root.level, ACCESS.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    ACCESS.setLevel(access)


def fail() -> None:
    raise RuntimeError(EVIL)


def logged(style: str) -> list[str]:
    """Log a request and an error."""
    out = io.StringIO()
    set_up_logs(style, out)
    token = current_request.set("0123456789abcdef")
    try:
        log_request("GET", "/api/docs", status="200", seconds=0.00123456)
        try:
            fail()
        except RuntimeError:
            logging.getLogger("abtest").exception("failed: %s", EVIL)
    finally:
        current_request.reset(token)
    assert not {"\r", "\x1b", "\u2028", "\x85"} & set(out.getvalue())
    return out.getvalue().splitlines()


def test_json_is_one_object_a_line() -> None:
    request, error = map(json.loads, logged("json"))
    assert request.pop("time").endswith("Z")
    assert request == {
        "level": "info",
        "request_id": "0123456789abcdef",
        "method": "GET",
        "route": "/api/docs",
        "status": 200,
        "milliseconds": 1.23,
    }
    assert error["level"] == "error"
    assert error["message"] == f"failed: {EVIL}"
    assert error["traceback"].startswith("Traceback")
    assert EVIL in error["traceback"]
    assert error["request_id"] == "0123456789abcdef"


def test_text_indents_whatever_is_not_a_line_of_its_own() -> None:
    request, error, *traceback = logged("text")
    assert request.endswith("INFO GET /api/docs 200 1.23 ms 0123456789abcdef")
    assert "ERROR abtest failed: x\\u000d\\u000a" in error
    assert traceback
    assert all(line.startswith("    ") for line in traceback)


def test_off_still_tells_of_errors() -> None:
    lines = logged("off")
    assert "ERROR" in lines[0]
    assert not any("/api/docs" in line for line in lines)
