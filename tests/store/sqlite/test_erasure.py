"""Erased names stand in none of the store's files, whatever goes on meanwhile."""

import random
import sqlite3
import threading
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from abtest.domain.events import Event
from abtest.domain.experiment import Status
from abtest.domain.person import NameKind, PersonName
from abtest.errors import AbtestError, ErrorCode
from abtest.store.protocol import Difference
from abtest.store.sqlite import SqliteStore, erasure, open_store
from tests.store.builders import (
    HOME,
    NOW,
    after,
    conversion,
    exposure,
    home,
    identity,
)
from tests.store.reference import expected_facts, expected_moments


def visitor(name: str) -> PersonName:
    return PersonName(kind=NameKind.VISITOR, name=name)


def found(path: Path, *names: str) -> list[str]:
    """Return the names that stand in one of the files, as `strings` would see them."""
    files = [path.with_name(path.name + end) for end in ("", "-wal", "-shm")]
    content = b"".join(file.read_bytes() for file in files if file.exists())
    return [name for name in names if name.encode() in content]


def random_names(n: int) -> list[str]:
    source = random.Random(7)
    return [str(uuid.UUID(int=source.getrandbits(128))) for _ in range(n)]


def test_names_are_in_no_file_after_the_call(store: SqliteStore, path: Path) -> None:
    names = random_names(300)
    phone, shop = "phone-4711-of-somebody", "customer-0815-of-somebody"
    store.add_experiment(home())
    people: list[Event] = [exposure(i, name) for i, name in enumerate(names)]
    store.record([*people, exposure(900, phone)], received_at=NOW)
    store.record([identity(901, phone, shop)], received_at=NOW)
    assert found(path, phone, shop) == [phone, shop]
    store.erase_person(visitor(phone))
    assert found(path, phone, shop) == []
    assert found(path, *names) == names


def test_copies_in_unused_parts_of_pages_are_found_and_removed(
    store: SqliteStore, path: Path
) -> None:
    store.add_experiment(home())
    store._write(lambda database: database.execute("PRAGMA secure_delete = OFF"))
    names = random_names(6000)
    for start in range(0, len(names), 50):
        batch = [exposure(start + i, n) for i, n in enumerate(names[start:][:50])]
        store.record(batch, received_at=NOW)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = path.read_bytes()
    times = Counter({name: content.count(name.encode()) for name in names[:3000]})
    # Once in the table and once in its index; a third place is a copy left behind.
    copied = [name for name, count in times.most_common(3) if count > 2]
    assert copied
    for name in copied:
        store.erase_person(visitor(name))
    assert found(path, *copied) == []
    assert not any(isinstance(step, Difference) for step in store.verify())


def test_a_name_that_somebody_else_bears_is_left_to_them(store: SqliteStore) -> None:
    store.add_experiment(home())
    store.record(
        [exposure(1, "twin"), conversion(2, None, customer="twin")], received_at=NOW
    )
    assert store.erase_person(visitor("twin")).events == 1
    assert store.find_person(PersonName(kind=NameKind.CUSTOMER, name="twin"))


def test_a_reader_of_the_past_is_told_about(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "_TRIES", 1)
    store.add_experiment(home())
    store.record([exposure(1, "phone-4711-of-somebody")], received_at=NOW)
    store._write(lambda database: database.execute("PRAGMA busy_timeout = 50"))
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM node").fetchall()
        with pytest.raises(AbtestError) as error:
            store.erase_person(visitor("phone-4711-of-somebody"))
        assert error.value.code is ErrorCode.UNAVAILABLE
    assert store.find_person(visitor("phone-4711-of-somebody")) is None
    store.erase_person(visitor("phone-4711-of-somebody"))
    assert found(path, "phone-4711-of-somebody") == []


def test_recording_goes_on_while_persons_are_erased_and_folded(
    path: Path,
) -> None:
    """Four threads record, one erases, another store folds; the sums stay exact."""
    old: list[Event] = [
        event
        for i in range(400)
        for event in (
            exposure(10 * i, f"old-{i}", hours=i % 50),
            conversion(10 * i + 1, f"old-{i}", hours=i % 50 + 2, value=i),
        )
    ]
    ended = home(status=Status.STOPPED, version=2)
    recorded: list[Event] = list(old)
    erased: set[bytes] = set()
    lock = threading.Lock()
    done = threading.Event()

    def record(store: SqliteStore, thread: int) -> int:
        number = 0
        while not done.wait(0.02) and number < 60:
            number += 1
            first = 1_000_000 * (thread + 1) + 10 * number
            name = f"new-{thread}-{number}"
            batch = [
                conversion(first + i, name, hours=24 * 150 + i, value=i)
                for i in range(5)
            ]
            store.record(batch, received_at=NOW)
            with lock:
                recorded.extend(batch)
        return number

    def erase(store: SqliteStore) -> int:
        for i in range(0, 400, 50):
            name = f"old-{i}"
            gone = store.erase_person(visitor(name))
            if gone.persons:
                erased.update(e.id for e in old if getattr(e, "visitor", "") == name)
        return len(erased)

    with (
        closing(open_store(path, durability="normal")) as store,
        closing(open_store(path, durability="normal")) as other,
        ThreadPoolExecutor(6) as pool,
    ):
        store.add_experiment(home())
        store.record(old, received_at=NOW)
        store.replace_experiment(ended)
        writing = [pool.submit(record, store, thread) for thread in range(4)]
        erasing = pool.submit(erase, store)
        folding = pool.submit(
            lambda: sum(s.persons for s in other.fold(after(24 * 120)))
        )
        persons = folding.result(timeout=60)
        erasing.result(timeout=60)
        done.set()
        assert all(future.result(timeout=60) > 0 for future in writing)
        left = [event for event in recorded if event.id not in erased]
        assert persons + len(erased) // 2 == 400
        assert store.moments(HOME) == expected_moments(left, ended)
        assert store.facts(HOME) == expected_facts(left, ended)
        assert not any(isinstance(step, Difference) for step in store.verify())
