"""One HTTP call and its answer, the same for Flask and for the door before it."""

from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from urllib.parse import parse_qsl
from wsgiref.types import WSGIEnvironment

import msgspec

from abtest.errors import AbtestError, ErrorCode, FieldError
from abtest.services.checks import shown

JSON = "application/json"
MAX_QUERY_FIELDS = 100

MAX_BODY = 256 * 1024
"""Bytes of one request."""


Headers = tuple[tuple[str, str], ...]


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What came in.

    Attributes:
        environ: the WSGI environment.
        body: read to its end.
        args: the variable parts of the path, by name.
    """

    environ: WSGIEnvironment
    body: bytes = b""
    args: Mapping[str, str] = msgspec.field(default_factory=dict)

    def header(self, name: str) -> str:
        """Return a header by its WSGI name (`HTTP_ORIGIN`), or an empty text."""
        value: str = self.environ.get(name, "")
        return value

    def query(self) -> dict[str, list[str]]:
        """Return the parameters of the address.

        Raises:
            AbtestError: `invalid` when there are too many.
        """
        text = self.environ.get("QUERY_STRING")
        found: dict[str, list[str]] = {}
        if not text:
            return found
        try:
            pairs = parse_qsl(
                text, keep_blank_values=True, max_num_fields=MAX_QUERY_FIELDS
            )
        except ValueError as error:
            raise AbtestError(
                ErrorCode.INVALID,
                f"the address has more than {MAX_QUERY_FIELDS} parameters",
            ) from error
        for name, value in pairs:
            found.setdefault(name, []).append(value)
        return found

    def single_query(self, *known: str) -> dict[str, str]:
        """Return the parameters of the address, each given at most once.

        Raises:
            AbtestError: `invalid` for one that is not known, or given twice.
        """
        query = self.query()
        errors = [_unknown(name, known) for name in query if name not in known]
        errors += [_twice(name) for name, values in query.items() if len(values) > 1]
        if errors:
            raise AbtestError(ErrorCode.INVALID, errors[0].detail, tuple(errors))
        return {name: values[0] for name, values in query.items()}


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What goes out; the headers that every answer has are added by the doors."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: Headers = ()

    @property
    def status_line(self) -> str:
        """The status as WSGI wants it."""
        return _status_line(self.status)

    def wsgi_headers(self, defaults: Headers) -> list[tuple[str, str]]:
        """Return all headers; the answer's own outrank the defaults."""
        if self.headers:
            own = {name for name, _ in self.headers}
            defaults = tuple(header for header in defaults if header[0] not in own)
        return [
            ("Content-Type", self.content_type),
            ("Content-Length", str(len(self.body))),
            *defaults,
            *self.headers,
        ]

    def with_headers(self, *headers: tuple[str, str]) -> "Reply":
        """Return the same answer with more headers."""
        return msgspec.structs.replace(self, headers=(*self.headers, *headers))


@cache
def _status_line(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}"


_ENCODER = msgspec.json.Encoder()


def json_reply(content: object, *, status: int = 200, headers: Headers = ()) -> Reply:
    """Answer with a struct or dataclass as JSON."""
    return Reply(status=status, body=_ENCODER.encode(content), headers=headers)


def _unknown(name: str, known: tuple[str, ...]) -> FieldError:
    allowed = ", ".join(known) or "none"
    return FieldError(
        pointer=f"?{name[:64]}",
        code="unknown_parameter",
        detail=f"parameter {shown(name)} is not known here; known are {allowed}",
    )


def _twice(name: str) -> FieldError:
    return FieldError(
        pointer=f"?{name[:64]}",
        code="repeated_parameter",
        detail=f"parameter {shown(name)} is given more than once; give it once",
    )
