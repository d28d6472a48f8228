"""The servers of a browser test: landing pages, the real service, and a faulty one."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Self
from urllib.error import HTTPError

SNIPPETS = Path(__file__).parents[2] / "client_snippets"
SNIPPET = SNIPPETS / "js" / "abtest.js"
PATIENCE = 30.0

Json = dict[str, "Json"] | list["Json"] | str | float | bool | None


def page_html(server: str, key: str, *, tag: str = "", body: str = "") -> str:
    """Write a small page with the snippet; `tag` holds more of its attributes."""
    script = f'<script async src="{server}/abtest.js" data-key="{key}" {tag}></script>'
    return f"<!doctype html><html><head>{script}</head><body>{body}</body></html>"


BUY = """<button data-abtest-convert="purchase" data-abtest-value="49.90"
data-abtest-currency="EUR">Buy</button>"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class _Server:
    """An HTTP server in a thread, on a port of its own."""

    def __init__(self, handler: type[BaseHTTPRequestHandler], host: str) -> None:
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._http.daemon_threads = True
        self._thread = Thread(target=self._http.serve_forever, args=(0.05,))
        self._thread.start()
        self.url = f"http://{host}:{self._http.server_port}"

    def close(self) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class PageServer(_Server):
    """Serves landing pages; its host differs from the service's, as in real life."""

    def __init__(self) -> None:
        pages: dict[str, tuple[str, Mapping[str, str]]] = {}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                html, headers = pages.get(self.path.partition("?")[0], ("Thanks", {}))
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(html.encode())

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(303)
                self.send_header("Location", "/thanks")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        super().__init__(Handler, "localhost")
        self._pages = pages

    def publish(
        self, html: str, path: str = "/", *, headers: Mapping[str, str] | None = None
    ) -> str:
        """Put a page on the server and return its address."""
        self._pages[path] = (html, headers or {})
        return f"{self.url}{path}"


@dataclass(slots=True, kw_only=True)
class Faults:
    """What the faulty service does next, and what it was sent.

    `script`, `assign` and `events` are a status, `hang`, `cut` (takes the request,
    then hangs up) or `html` (a proxy's page under status 200); a list is used up one
    by one, its last entry for ever. `received` holds time, path and body.
    """

    script: list[int | str] = field(default_factory=lambda: [200])
    assign: list[int | str] = field(default_factory=lambda: [200])
    events: list[int | str] = field(default_factory=lambda: [200])
    released: Event = field(default_factory=Event)
    received: list[tuple[float, str, dict[str, Json]]] = field(default_factory=list)

    def of(self, path: str) -> int | str:
        plan = getattr(self, path.rpartition("/")[2].partition(".")[0], None)
        plan = self.script if plan is None else plan
        behaviour: int | str = plan.pop(0) if len(plan) > 1 else plan[0]
        return behaviour

    def batches(self) -> list[list[dict[str, Json]]]:
        """Return the events of each call."""
        found: list[list[dict[str, Json]]] = []
        for _, path, body in self.received:
            if path.endswith("/events"):
                events = body["events"]
                assert isinstance(events, list)
                found.append([event for event in events if isinstance(event, dict)])
        return found


class FaultyService(_Server):
    """Serves the real snippet and then fails in the way a test asks for."""

    def __init__(self) -> None:
        faults = Faults()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer("text/javascript", SNIPPET.read_bytes())

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                faults.received.append((time.time(), self.path, body))
                shown = {"variant": "b", "payload": {}, "in_experiment": True}
                answer: dict[str, object] = {"accepted": 1, "duplicates": 0}
                if self.path.endswith("assign"):
                    answer = {"assignments": {"home": shown}}
                self._answer("application/json", json.dumps(answer).encode())

            def _answer(self, kind: str, content: bytes) -> None:
                behaviour = faults.of(self.path)
                match behaviour:
                    case "hang":
                        faults.released.wait(PATIENCE)
                        return
                    case "cut":
                        return
                    case "html":
                        kind, content = "text/html", b"<h1>Back soon</h1>"
                    case int():
                        pass
                    case unknown:
                        raise AssertionError(unknown)
                self.send_response(behaviour if isinstance(behaviour, int) else 200)
                self.send_header("Content-Type", kind)
                self.send_header("Access-Control-Allow-Origin", "*")
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        super().__init__(Handler, "127.0.0.1")
        self.faults = faults

    def close(self) -> None:
        self.faults.released.set()
        super().close()


class Service:
    """The real service: `abtest serve` in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("ABTEST_")},
            "ABTEST_DATABASE": str(folder / "abtest.db"),
        }
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._log = (folder / "serve.log").open("w+", encoding="utf-8")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "abtest", "serve", "--port", str(port)],
            env=self._environment,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self._wait_until_healthy()
        self._admin = self.create_key("ak")
        self._reader = self.create_key("rk")
        self.publishable = self.create_key("pk")

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=1):  # noqa: S310 - our own address
                    return
            except OSError:
                time.sleep(0.05)
        self.close()
        raise AssertionError(f"the service did not start:\n{self.log}")

    @property
    def log(self) -> str:
        """What the service printed."""
        return Path(self._log.name).read_text(encoding="utf-8")

    def create_key(self, kind: str) -> str:
        """Make a key as an operator does."""
        run = subprocess.run(
            [sys.executable, "-m", "abtest", "key", "create", "--kind", kind, "--json"],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        key: str = json.loads(run.stdout)["key"]
        return key

    def call(self, method: str, path: str, body: Json = None) -> dict[str, Json]:
        """Call the API with the key of an admin, or of a reader for a report."""
        key = self._reader if path.endswith("/report") else self._admin
        request = urllib.request.Request(  # noqa: S310 - our own address
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {key}",
                "Content-Type": "application/json",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 - our own address
                found: dict[str, Json] = json.load(answer)
                return found
        except HTTPError as error:
            with error:
                text = error.read().decode()
            raise AssertionError(f"{method} {path}: {error.code} {text}") from None

    def start_experiment(self, key: str) -> None:
        """Start an experiment of two variants with a sign-up and a purchase."""
        self.call(
            "POST",
            "/api/v1/experiments",
            {
                "key": key,
                "name": "Home page",
                "variants": [
                    {"key": "a", "name": "Old", "payload": {"headline": "old"}},
                    {"key": "b", "name": "New", "payload": {"headline": "new"}},
                ],
                "funnel": [
                    {"key": "signup", "name": "Sign-up", "kind": "lead"},
                    {"key": "purchase", "name": "Purchase", "kind": "main"},
                ],
                "first_conversion": {"step": "purchase"},
                "second_conversion": {"step": "purchase", "ordinal": 2},
                "weights": {"first": 1, "second": 3, "currency": "EUR"},
            },
        )
        self.call("POST", f"/api/v1/experiments/{key}/start")

    def today(self, key: str) -> tuple[int, int]:
        """Return the exposures and conversions of the report's live line."""
        today = self.call("GET", f"/api/v1/experiments/{key}/report")["today"]
        assert isinstance(today, dict)
        exposures, conversions = today["exposures"], today["conversions"]
        assert isinstance(exposures, int)
        assert isinstance(conversions, int)
        return exposures, conversions

    def wait_for(self, key: str, wanted: tuple[int, int]) -> None:
        """Wait until the report shows so many exposures and conversions."""
        deadline = time.monotonic() + PATIENCE
        while (found := self.today(key)) != wanted:
            assert time.monotonic() < deadline, f"{found} instead of {wanted}"
            time.sleep(0.1)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE)
        self._log.close()
