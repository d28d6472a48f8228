"""The real server in processes of its own, to be killed, stopped and starved."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from pathlib import Path
from threading import Event
from typing import Any, Self

from abtest.domain.access import Role
from abtest.services.access import COMMAND_LINE, add_user, sign_in
from abtest.store.sqlite import open_store
from abtest.web.pages.guard import COOKIE
from tests.cli.program import Program
from tests.web.api.conftest import HOME

PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said; the content is JSON, or nothing."""

    status: int
    headers: Message
    content: Any
    seconds: float


class Connection:
    """One keep-alive connection, made anew after it broke."""

    def __init__(self, port: int, key: str = "", *, cookie: str = "") -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self._headers = {"Content-Type": "application/json"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        if cookie:
            self._headers["Cookie"] = cookie

    def ask(self, method: str, path: str, body: object = None) -> Answer:
        """Return the answer; raise OSError or HTTPException when there is none."""
        content = b"" if body is None else json.dumps(body).encode()
        began = time.monotonic()
        try:
            self._http.request(method, path, content, self._headers)
            response = self._http.getresponse()
            told = response.read()
        except BaseException:
            self._http.close()
            raise
        is_json = "json" in response.headers.get_content_type()
        return Answer(
            response.status,
            response.headers,
            json.loads(told) if is_json and told else None,
            time.monotonic() - began,
        )

    def assign(self, visitor: str) -> Answer:
        return self.ask("POST", "/api/v1/assign", {"visitor": visitor})

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A database with a running experiment `home`, and the keys to it."""

    program: Program
    keys: Mapping[str, str]

    @classmethod
    def make(cls, folder: Path) -> Self:
        program = Program(folder)
        program.begin(HOME)
        return cls(
            program=program,
            keys={
                kind: program.answer("key", "create", "--kind", kind).text("key")
                for kind in ("sk", "rk")
            },
        )

    @property
    def database(self) -> Path:
        return self.program.database

    def cookie(self) -> str:
        """Make a person who is signed in, and return what her browser sends."""
        now = datetime.now(UTC)
        with closing(open_store(self.database)) as store:
            add_user(
                store,
                "ada",
                password="long and wide",
                role=Role.ADMIN,
                caller=COMMAND_LINE,
                now=now,
            )
            token = sign_in(store, "ada", password="long and wide", now=now)
        return f"{COOKIE}={token}"

    def is_sound(self) -> bool:
        """Whether every sum agrees with the raw events."""
        return "everything agrees" in self.program.succeed("verify")


@dataclass(slots=True, kw_only=True)
class Server:
    """`abtest serve` on a site.

    Attributes:
        wrapper: what stands before the command.
        environment: beside this process's own.
    """

    site: Site
    port: int = 0
    wrapper: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start and wait until it is ready; return the seconds that took."""
        self.port = self.port or free_port()
        began = time.monotonic()
        command = [sys.executable, "-m", "abtest", "serve", "--port", str(self.port)]
        self.process = subprocess.Popen(
            [*self.wrapper, *command],
            env={
                **os.environ,
                "ABTEST_DATABASE": str(self.site.database),
                **self.environment,
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self.wait_until_ready()
        return time.monotonic() - began

    def wait_until_ready(self) -> None:
        give_up_at = time.monotonic() + PATIENCE
        with self.connection() as connection:
            while time.monotonic() < give_up_at:
                try:
                    if connection.ask("GET", "/readyz").status == 200:
                        return
                except (OSError, http.client.HTTPException):
                    pass
                assert self.running.poll() is None, self.complaints()
                Event().wait(0.02)
        raise AssertionError(f"not ready after {PATIENCE} s")

    @property
    def running(self) -> subprocess.Popen[bytes]:
        assert self.process is not None
        return self.process

    def processes(self) -> list[int]:
        """Return the server's process ids: its own and that of who answers."""
        return [self.running.pid, *_children(self.running.pid)]

    def memory(self) -> int:
        """Return the bytes that all its processes hold, the statistics included."""
        first, *workers = self.processes()
        everybody = [first, *workers, *(pid for w in workers for pid in _children(w))]
        return sum(map(_resident, everybody))

    def cpu_seconds(self) -> float:
        """Return the processor time that its processes have taken so far."""
        ticks = 0
        for pid in self.processes():
            told = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
            ticks += sum(map(int, told.rpartition(")")[2].split()[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        """End all of it at once, as a power switch would."""
        os.killpg(self.running.pid, signal.SIGKILL)
        self.forget()

    def forget(self) -> None:
        """Wait for the end of a process that was killed."""
        self.running.wait()
        if self.running.stderr is not None:
            self.running.stderr.close()

    def stop(self) -> float:
        """Ask it to end; return the seconds that took."""
        began = time.monotonic()
        self.running.send_signal(signal.SIGTERM)
        assert self.running.wait(PATIENCE) == 0
        assert self.complaints() == ""
        return time.monotonic() - began

    def complaints(self) -> str:
        """Return what it said before it ended."""
        stream = self.running.stderr
        assert stream is not None
        with stream:
            return stream.read().decode()

    def connection(self, kind: str = "sk", *, cookie: str = "") -> Connection:
        return Connection(self.port, self.site.keys.get(kind, ""), cookie=cookie)

    def end(self) -> None:
        """Leave nothing behind, whatever the test did."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.kill()
        self.forget()


def _children(pid: int) -> list[int]:
    """Return the processes that any thread of the process has started."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [
        int(child)
        for task in tasks
        for child in task.read_text(encoding="ascii").split()
    ]


def _resident(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port: int = free.getsockname()[1]
        return port
