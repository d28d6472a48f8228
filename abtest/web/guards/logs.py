"""Log lines, for people or for programs; what they never hold, and how they end."""

import logging
import re
import sys
from datetime import UTC, datetime
from typing import TextIO

import msgspec

from abtest.web.guards.request_id import current_request

ACCESS = logging.getLogger("abtest.access")
"""One line per request: method, route, status and time; no address, key, body or id."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NAMES = ("method", "route", "status", "milliseconds")


class JsonLines(logging.Formatter):
    """One JSON object per line; tracebacks stand inside it."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the record."""
        line: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "request_id": current_request.get() or None,
        }
        if record.name == ACCESS.name:
            line |= {name: getattr(record, name) for name in _NAMES}
        else:
            line |= {"logger": record.name, "message": record.getMessage()}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return _escaped(msgspec.json.encode(line).decode())


class TextLines(logging.Formatter):
    """For a terminal; what belongs to a line but follows it is indented."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the record."""
        if record.name == ACCESS.name:
            told = (getattr(record, name) for name in _NAMES)
            text = "{} {} {} {} ms".format(*told)
        else:
            text = f"{record.name} {record.getMessage()}"
        words = (_time(record), record.levelname, text, current_request.get())
        lines = [" ".join(word for word in words if word)]
        if record.exc_info:
            lines += self.formatException(record.exc_info).split("\n")
        return "\n    ".join(map(_escaped, lines))


def set_up_logs(style: str, stream: TextIO | None = None) -> None:
    """Write logs to standard error; warnings and errors whatever the style.

    Args:
        style: `json` or `text` for a line per request too; `off` for none.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if style == "json" else TextLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    ACCESS.setLevel(logging.WARNING if style == "off" else logging.INFO)


def log_request(method: str, route: str, *, status: str, seconds: float) -> None:
    """Write the line of an answered request."""
    told = (method, route, int(status), round(seconds * 1000, 2))
    ACCESS.info("request", extra=dict(zip(_NAMES, told, strict=True)))


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _escaped(text: str) -> str:
    """Write control characters as escapes, so that nobody makes a line of their own."""
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
