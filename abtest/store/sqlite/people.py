"""Names of visitors and customers, and which of them are the same person."""

import sqlite3
from collections.abc import Iterable
from typing import NewType

import msgspec

from abtest.store.sqlite.connection import query

Node = NewType("Node", int)
"""The number that stands for a name."""

Person = NewType("Person", int)
"""The smallest node among those that are the same person."""


VISITOR, CUSTOMER = 1, 2
"""What a name stands for, as stored."""

Name = tuple[int, str]
"""Kind and name."""


class People:
    """The nodes of one batch of events and the persons behind them.

    Attributes:
        nodes: number of each name.
        persons: person of each node.
        merged: persons that were several until this batch.
    """

    def __init__(self, connection: sqlite3.Connection, names: Iterable[Name]) -> None:
        self._connection = connection
        self.nodes: dict[Name, Node] = {}
        self.persons: dict[Node, Person] = {}
        self.merged: set[Person] = set()
        wanted: dict[int, list[str]] = {}
        for kind, name in dict.fromkeys(names):
            wanted.setdefault(kind, []).append(name)
        for kind, unsorted in wanted.items():
            self._find(kind, unsorted)
            self._add([(kind, n) for n in unsorted if (kind, n) not in self.nodes])

    def node(self, name: Name | None) -> Node | None:
        """Return the number of the name."""
        return None if name is None else self.nodes[name]

    def join(self, links: Iterable[tuple[Node, Node]]) -> None:
        """Make one person of the two nodes of each link."""
        parent: dict[Person, Person] = {}

        def root(person: Person) -> Person:
            while (above := parent.get(person, person)) != person:
                person = above
            return person

        for left, right in links:
            kept, gone = sorted((root(self.persons[left]), root(self.persons[right])))
            if kept != gone:
                parent[gone] = kept
        if not parent:
            return
        moves = [(root(gone), gone) for gone in parent]
        self._connection.executemany(
            "UPDATE person SET representative = ? WHERE representative = ?", moves
        )
        self._connection.executemany(
            "INSERT INTO person (representative, node) VALUES (?, ?)", moves
        )
        self.persons = {node: root(person) for node, person in self.persons.items()}
        self.merged = {kept for kept, _ in moves}

    def _find(self, kind: int, names: list[str]) -> None:
        rows = self._connection.execute(
            query("find_nodes"), (kind, to_json(names))
        ).fetchall()
        for name, node, person in rows:
            self.nodes[kind, name] = node
            self.persons[node] = person

    def _add(self, names: list[Name]) -> None:
        """Number new names; the write lock that we hold keeps others from it."""
        if not names:
            return
        (last,) = self._connection.execute("SELECT max(id) FROM node").fetchone()
        rows = [(n, *name) for n, name in enumerate(names, (last or 0) + 1)]
        self._connection.executemany(
            "INSERT INTO node (id, kind, name) VALUES (?, ?, ?)", rows
        )
        for number, kind, name in rows:
            self.nodes[kind, name] = Node(number)
            self.persons[Node(number)] = Person(number)


def persons_of(
    connection: sqlite3.Connection, nodes: Iterable[Node]
) -> dict[Node, Person]:
    """Return the person behind each node."""
    found = {node: Person(node) for node in nodes}
    found |= connection.execute(query("persons_of"), (to_json(found),)).fetchall()
    return found


def members_of(
    connection: sqlite3.Connection, persons: Iterable[Person]
) -> dict[Person, list[Node]]:
    """Return all nodes of each person."""
    found = {person: [Node(person)] for person in persons}
    for person, node in connection.execute(
        query("members_of"), (to_json(found),)
    ).fetchall():
        found[person].append(node)
    return found


def to_json(values: Iterable[int | str]) -> str:
    """Write values for `json_each`, so that one statement takes any number of them."""
    return msgspec.json.encode(list(values)).decode()
