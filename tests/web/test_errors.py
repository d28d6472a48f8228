"""Errors are problems under the API's paths and pages elsewhere."""

import pytest
from flask import Flask, Response, abort
from werkzeug.routing import RequestRedirect

from abtest.errors import AbtestError, ErrorCode
from abtest.web.errors import install_error_handlers


def page(status: int, title: str, detail: str) -> Response:
    return Response(f"page: {title} - {detail}", status)


def broken_page(status: int, title: str, detail: str) -> Response:
    raise AbtestError(ErrorCode.UNAVAILABLE, f"no page for {status} {title} {detail}")


def refuse() -> str:
    raise AbtestError(ErrorCode.UNAVAILABLE, "the disk is <full>")


def fail() -> str:
    raise RuntimeError("the secret of the house")


def misunderstand() -> str:
    abort(400, "what?")


def move() -> str:
    raise RequestRedirect("https://example.com/new")


@pytest.fixture(params=["", "/api"])
def prefix(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def app(prefix: str) -> Flask:
    app = Flask(__name__)
    install_error_handlers(app, page)
    for view in (refuse, fail, misunderstand, move):
        app.add_url_rule(f"{prefix}/{view.__name__}", view_func=view)
    return app


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/refuse", 503, "full"),
        ("/fail", 500, "Internal error"),
        ("/misunderstand", 400, "what?"),
        ("/nowhere", 404, "/nowhere"),
    ],
)
def test_what_went_wrong_is_told_to_whom_it_concerns(
    app: Flask, prefix: str, path: str, status: int, words: str
) -> None:
    answer = app.test_client().get(f"{prefix}{path}")
    assert answer.status_code == status
    text = answer.get_data(as_text=True)
    assert words in text
    assert "secret" not in text
    assert (answer.content_type == "application/problem+json") == (prefix == "/api")
    assert text.startswith("page: ") == (prefix == "")
    assert ("Retry-After" in answer.headers) == (status == 503)


def test_a_redirect_is_no_error(app: Flask, prefix: str) -> None:
    answer = app.test_client().get(f"{prefix}/move")
    assert answer.status_code == 308
    assert answer.headers["Location"] == "https://example.com/new"


def test_a_page_that_fails_is_replaced_by_a_plain_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Flask(__name__)
    install_error_handlers(app, broken_page)
    app.add_url_rule("/refuse", view_func=refuse)
    answer = app.test_client().get("/refuse")
    assert answer.status_code == 503
    assert "the disk is &lt;full&gt;" in answer.get_data(as_text=True)
    assert answer.headers["Retry-After"] == "5"
    assert "the error page failed" in caplog.text
