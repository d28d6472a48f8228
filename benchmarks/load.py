"""A bounded load generator for loopback: keep-alive connections, one request each.

Run as a program by the benchmarks, so that it does not share a process with them:
it prints one JSON line with requests, seconds, errors and latency percentiles.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count

RETURNING = 20_000


def bodies(kind: str, key: str, offset: int) -> Iterator[bytes]:
    """Yield request bodies without end.

    `new` are visitors never seen before; `back` are `RETURNING` visitors, one after
    the other; `event` is a conversion of one of these, `batch` a hundred of them;
    `none` is no body.
    """
    for n in count(offset):
        stamp = f"{time.time_ns() // 1_000_000:012x}"
        match kind:
            case "none":
                yield b""
            case "new":
                yield json.dumps({"key": key, "visitor": f"v{n}"}).encode()
            case "back":
                yield json.dumps(
                    {"key": key, "visitor": f"back{n % RETURNING}"}
                ).encode()
            case "event":
                yield json.dumps({"key": key, "events": [_event(stamp, n)]}).encode()
            case "batch":
                events = [_event(stamp, n * 100 + i) for i in range(100)]
                yield json.dumps({"key": key, "events": events}).encode()
            case _:
                raise SystemExit(f"unknown kind {kind}")


def _event(stamp: str, n: int) -> dict[str, object]:
    uuid7 = f"{stamp[:8]}-{stamp[8:]}-7{n >> 60:03x}-8{n >> 48 & 0xFFF:03x}-{n:012x}"
    return {
        "id": uuid7,
        "type": "conversion",
        "visitor": f"back{n % RETURNING}",
        "step": "purchase",
        "value": 20.0,
        "currency": "EUR",
    }


async def _connection(
    port: int, path: str, make: Callable[[], bytes], end: float, times: list[float]
) -> int:
    """Send requests until the end; return how many were not answered with 200."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    errors = 0
    while time.perf_counter() < end:
        body = make()
        verb = "POST" if body else "GET"
        head = (
            f"{verb} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Content-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        before = time.perf_counter()
        writer.write(head.encode() + body)
        status, length = await _head(reader)
        await reader.readexactly(length)
        times.append(time.perf_counter() - before)
        errors += status != 200
    writer.close()
    return errors


async def _head(reader: asyncio.StreamReader) -> tuple[int, int]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    lines = head.split("\r\n")
    length = next(
        int(line.split(":")[1]) for line in lines if line.startswith("content-length")
    )
    return int(lines[0].split()[1]), length


async def _run(options: argparse.Namespace) -> dict[str, float]:
    made = bodies(options.kind, options.key, options.offset)
    times: list[float] = []
    begin = time.perf_counter()
    errors = await asyncio.gather(
        *(
            _connection(
                options.port,
                options.path,
                lambda: next(made),
                begin + options.seconds,
                times,
            )
            for _ in range(options.connections)
        )
    )
    elapsed = time.perf_counter() - begin
    times.sort()
    return {
        "requests": len(times),
        "per_second": len(times) / elapsed,
        "errors": sum(errors),
        "p50_ms": times[len(times) // 2] * 1000,
        "p99_ms": times[len(times) * 99 // 100] * 1000,
    }


def main() -> None:
    """Run the load that the arguments describe."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", required=True)
    parser.add_argument("--kind", required=True)
    parser.add_argument("--key", default="")
    parser.add_argument("--offset", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--connections", type=int, default=64)
    sys.stdout.write(json.dumps(asyncio.run(_run(parser.parse_args()))) + "\n")


if __name__ == "__main__":
    main()
