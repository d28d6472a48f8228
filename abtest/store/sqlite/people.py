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

_ABOVE_ALL = 2**63

Name = tuple[int, str]
"""Kind and name."""


class People:
    """The nodes of one batch of events and the persons behind them.

    Attributes:
        nodes: number of each name.
        persons: person of each node.
        merged: persons that were several, of whom something was known before.
        newest: the last node that was there before the batch, or a number above it.
    """

    def __init__(self, connection: sqlite3.Connection, names: Iterable[Name]) -> None:
        self._connection = connection
        self.nodes: dict[Name, Node] = {}
        self.persons: dict[Node, Person] = {}
        self.merged: set[Person] = set()
        self.newest = _ABOVE_ALL
        wanted: dict[int, list[str]] = {VISITOR: [], CUSTOMER: []}
        for kind, name in dict.fromkeys(names):
            wanted[kind].append(name)
        if any(wanted.values()):
            last = self._find(wanted)
            unknown = [
                (kind, name)
                for kind, some in wanted.items()
                for name in some
                if (kind, name) not in self.nodes
            ]
            self._add(unknown, last)

    def node(self, name: Name | None) -> Node | None:
        """Return the number of the name."""
        return None if name is None else self.nodes[name]

    def is_new(self, person: Person) -> bool:
        """Whether nothing was known of the person before this batch."""
        return person > self.newest

    def join(self, links: Iterable[tuple[Node, Node]]) -> None:
        """Make one person of the two nodes of each link."""
        self.persons, self.merged = join_persons(
            self._connection, self.persons, links, newest=self.newest
        )

    def _find(self, names: dict[int, list[str]]) -> int:
        """Take the names that are known; return the last node."""
        last, found = self._connection.execute(
            query("find_nodes"), (to_json(names[VISITOR]), to_json(names[CUSTOMER]))
        ).fetchone()
        for kind, name, node, person in msgspec.json.decode(found):
            self.nodes[kind, name] = node
            self.persons[node] = person
        return int(last)

    def _add(self, names: list[Name], last: int) -> None:
        """Number new names; the write lock that we hold keeps others from it."""
        if not names:
            return
        self.newest = last
        rows = [(n, *name) for n, name in enumerate(names, last + 1)]
        self._connection.executemany(
            "INSERT INTO node (id, kind, name) VALUES (?, ?, ?)", rows
        )
        for number, kind, name in rows:
            self.nodes[kind, name] = Node(number)
            self.persons[Node(number)] = Person(number)


def join_persons(
    connection: sqlite3.Connection,
    persons: dict[Node, Person],
    links: Iterable[tuple[Node, Node]],
    *,
    newest: int = _ABOVE_ALL,
) -> tuple[dict[Node, Person], set[Person]]:
    """Make one person of the two nodes of each link.

    Args:
        persons: of these nodes, as stored.
        newest: of nodes with a number above it nothing is known yet.

    Returns:
        The persons after that, and those of them that were several known ones.
    """
    parent: dict[Person, Person] = {}

    def root(person: Person) -> Person:
        while (above := parent.get(person, person)) != person:
            person = above
        return person

    for left, right in links:
        kept, gone = sorted((root(persons[left]), root(persons[right])))
        if kept != gone:
            parent[gone] = kept
    if not parent:
        return persons, set()
    moves = [(root(gone), gone) for gone in parent]
    several = [(kept, gone) for kept, gone in moves if gone <= newest]
    connection.executemany(
        "UPDATE person SET representative = ? WHERE representative = ?", several
    )
    connection.executemany(
        "INSERT INTO person (representative, node) VALUES (?, ?)", moves
    )
    joined = {node: root(person) for node, person in persons.items()}
    return joined, {kept for kept, _ in several}


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
