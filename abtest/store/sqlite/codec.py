"""Experiments as JSON documents and back; loud about any shape it does not know."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar, get_type_hints

import msgspec

from abtest.domain.experiment import Experiment
from abtest.domain.funnel import (
    ConversionGoal,
    CountWeights,
    LaterStep,
    MoneyWeights,
    Repeat,
    StepKey,
)
from abtest.errors import AbtestError, ErrorCode

A = TypeVar("A")
B = TypeVar("B")

_TYPES = get_type_hints(Experiment)


def encode_experiment(experiment: Experiment) -> str:
    """Write the experiment as a JSON document."""
    return msgspec.json.encode(experiment).decode()


def decode_experiment(document: str) -> Experiment:
    """Read the document; a field it lacks has its default.

    Raises:
        AbtestError: `unavailable` when a field is unknown, missing or of a wrong type.
    """
    try:
        parts = msgspec.json.decode(document, type=dict[str, msgspec.Raw])
        experiment = Experiment(**{name: _decode(parts, name) for name in parts})
        written = msgspec.json.encode(experiment)
        if not _is_kept(msgspec.json.decode(document), msgspec.json.decode(written)):
            raise msgspec.ValidationError("a nested field is unknown")
    except (msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
        raise AbtestError(
            ErrorCode.UNAVAILABLE,
            f"an experiment is stored in a shape this version does not know ({error});"
            " update abtest or restore a backup",
        ) from error
    return experiment


def _decode(parts: Mapping[str, msgspec.Raw], name: str) -> Any:  # noqa: ANN401 - any field
    match name:
        case "goal":
            goal = msgspec.json.decode(parts[name], type=dict[str, msgspec.Raw])
            return ConversionGoal(
                first=msgspec.json.decode(goal["first"], type=StepKey),
                second=_one_of((Repeat, LaterStep), goal["second"]),
            )
        case "weights":
            return _one_of((CountWeights, MoneyWeights), parts[name])
        case _:
            return msgspec.json.decode(parts[name], type=_TYPES[name])


def _one_of(kinds: tuple[type[A], type[B]], raw: msgspec.Raw) -> A | B:
    """Decode the kind whose fields these are."""
    found = set(msgspec.json.decode(raw, type=dict[str, msgspec.Raw]))
    for kind in kinds:
        if found == {field.name for field in fields(kind)}:  # type: ignore[arg-type]
            return msgspec.json.decode(raw, type=kind)
    raise msgspec.ValidationError(f"fields {sorted(found)} fit nothing known")


def _is_kept(stored: object, written: object) -> bool:
    """Whether everything stored is still there after reading and writing it."""
    match stored, written:
        case dict(), dict():
            return all(k in written and _is_kept(stored[k], written[k]) for k in stored)
        case list(), list():
            return len(stored) == len(written) and all(map(_is_kept, stored, written))
        case _:
            return stored == written
