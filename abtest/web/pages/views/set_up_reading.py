"""From what was typed to a definition, the notes beside it, and the planner's question.

Whatever cannot be read is a problem of its field; the rules of the experiment itself
are those of the services, as for the API.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

import msgspec

from abtest.services.definition import (
    ExperimentDefinition,
    FirstDefinition,
    SecondDefinition,
    StepDefinition,
    VariantDefinition,
    WeightsDefinition,
)
from abtest.services.plan_rules import OrderValueQuestion, PlanQuestion
from abtest.services.set_up_notes import SetUpNotes
from abtest.web.pages.views.set_up_form import (
    AGAIN,
    MONEY,
    SetUpForm,
    StepRow,
    free_key,
    key_from,
)
from abtest.web.pages.views.typed_numbers import read_number, read_percent
from abtest.web.render.reader import Reader

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Typist:
    """Reads single fields and keeps what is wrong with them.

    Attributes:
        problems: sentences by the id of their field.
    """

    form: SetUpForm
    reader: Reader
    problems: dict[str, str] = field(default_factory=dict)

    def number(self, name: str, default: float) -> float:
        """Read a number that must be there; the default stands in for a bad one."""
        value = self._read(name, getattr(self.form, name), read_number)
        if value is None and name not in self.problems:
            self._miss(name)
        return default if value is None else value

    def optional(self, name: str) -> float | None:
        """Read a number that may be missing."""
        return self._read(name, getattr(self.form, name), read_number)

    def percent(self, name: str, default: float) -> float:
        """Read a share that must be there."""
        value = self.optional_percent(name)
        if value is None and name not in self.problems:
            self._miss(name)
        return default if value is None else value

    def optional_percent(self, name: str) -> float | None:
        """Read a share that may be missing."""
        return self._read(name, getattr(self.form, name), read_percent)

    def whole(self, name: str, default: int) -> int:
        """Read a whole number that must be there."""
        value = self.number(name, default)
        if value != int(value):
            self._say(name, self.reader.gettext("Use a whole number."))
            return default
        return int(value)

    def weight(self, place: int, typed: str) -> float:
        """Read the share of a variant."""
        value = self._read(f"variant-{place}-weight", typed, read_number)
        if value is None and f"variant-{place}-weight" not in self.problems:
            self._miss(f"variant-{place}-weight")
        return 1.0 if value is None else value

    def payload(self, place: int, typed: str) -> dict[str, object]:
        """Read the JSON object of a variant; nothing typed is an empty one."""
        try:
            return msgspec.json.decode(typed or "{}", type=dict[str, object])
        except msgspec.DecodeError:
            self._say(
                f"variant-{place}-payload",
                self.reader.gettext(
                    "This is no JSON object; write it like {example}.",
                    example='{"url": "https://www.example.com/b"}',
                ),
            )
            return {}

    def step(self, choice: str) -> str:
        """Return the key of the chosen step."""
        keys = step_keys(self.form.steps)
        place = int(choice) if choice.isdecimal() else len(keys)
        return keys[place] if place < len(keys) else ""

    def page_url(self) -> str:
        """Return the address of the page, checked: links are made of it."""
        url = self.form.page_url
        if not url:
            return ""
        try:
            parts = urlsplit(url)
            is_page = parts.scheme in {"http", "https"} and bool(parts.hostname)
        except ValueError:
            is_page = False
        if not is_page or any(c.isspace() for c in url):
            self._say(
                "page_url",
                self.reader.gettext(
                    "Write the whole address, for example {example}.",
                    example="https://www.example.com/landing",
                ),
            )
            return ""
        return url

    def _read(
        self, name: str, typed: str, read: Callable[[str, Reader], float]
    ) -> float | None:
        if not typed:
            return None
        try:
            return read(typed, self.reader)
        except ValueError:
            example = self.reader.format.plain(2.5)
            say = self.reader.gettext
            self._say(
                name,
                say("This is no number; write it like {example}.", example=example),
            )
            return None

    def _miss(self, name: str) -> None:
        self._say(name, self.reader.gettext("Fill this in."))

    def _say(self, name: str, sentence: str) -> None:
        self.problems[name] = sentence


def step_keys(steps: tuple[StepRow, ...]) -> tuple[str, ...]:
    """Return the keys of the steps; those left empty are made from their names."""
    keys: list[str] = []
    for step in steps:
        made = free_key(key_from(step.name) or "step", keys)
        keys.append(step.key or made)
    return tuple(keys)


def variant_keys(form: SetUpForm) -> tuple[str, ...]:
    """Return the keys of the variants; those left empty become letters."""
    typed = [v.key for v in form.variants]
    free = (letter for letter in _LETTERS if letter not in typed)
    return tuple(key or next(free, "") for key in typed)


def to_definition(
    typist: Typist, *, base: ExperimentDefinition | None = None
) -> ExperimentDefinition:
    """Return what the form says; the problems are the typist's.

    Args:
        base: definition that the form was made from; what the form does not show is
            kept.
    """
    form = typist.form
    names = dict(enumerate(variant_keys(form)))
    told = ExperimentDefinition(
        key=form.key or key_from(form.name),
        name=form.name,
        hypothesis=form.hypothesis,
        variants=tuple(
            VariantDefinition(
                key=names[i],
                name=v.name or names[i].upper(),
                weight=typist.weight(i, v.weight),
                payload=typist.payload(i, v.payload),
            )
            for i, v in enumerate(form.variants)
        ),
        funnel=tuple(
            StepDefinition(key=key, name=s.name, kind=s.kind)
            for key, s in zip(step_keys(form.steps), form.steps, strict=True)
        ),
        first_conversion=FirstDefinition(step=typist.step(form.first)),
        second_conversion=_second(typist),
        window_days=typist.whole("window_days", 60),
        first_window_days=_optional_whole(typist, "first_window_days"),
        weights=to_weights_definition(typist),
        coverage=typist.percent("coverage", 1.0),
        alpha=typist.percent("alpha", 0.05),
        power=typist.percent("power", 0.8),
        minimum_detectable_effect=typist.percent("effect", 0.1),
        first_conversion_margin=typist.percent("margin", 0.2),
        method=form.method,
        sequential_design=form.design,
        order_cap=typist.optional("order_cap"),
        time_zone=form.time_zone,
    )
    if base is None:
        return told
    return replace(
        told,
        key=base.key,
        covariate=base.covariate,
        adaptive=base.adaptive,
        followed_until=base.followed_until,
        salt=base.salt,
        hash_version=base.hash_version,
    )


def to_notes(typist: Typist) -> SetUpNotes:
    """Return what is kept beside the experiment."""
    return SetUpNotes(
        page_url=typist.page_url(),
        visitors_per_day=typist.optional("visitors_per_day"),
        first_rate=typist.optional_percent("first_rate"),
        repeat_rate=typist.optional_percent("repeat_rate"),
        history=typist.form.history,
        order_mean=typist.optional("order_mean"),
        order_sd=typist.optional("order_sd"),
    )


def to_question(definition: ExperimentDefinition, notes: SetUpNotes) -> PlanQuestion:
    """Return what the planner is asked; variants without a share are left out."""
    shares = tuple(v.weight for v in definition.variants if v.weight > 0)
    has_history = bool(notes.history)
    is_money = definition.weights.money
    order = None
    if is_money and not has_history and notes.order_mean is not None:
        # Where nobody knows the spread, orders spread about as much as their mean.
        spread = notes.order_mean if notes.order_sd is None else notes.order_sd
        order = OrderValueQuestion(mean=notes.order_mean, sd=spread)
    return PlanQuestion(
        visitors_per_day=(notes.visitors_per_day or 0.0) * definition.coverage,
        first_rate=None if has_history else notes.first_rate,
        repeat_rate=None if has_history else notes.repeat_rate,
        history=notes.history or None,
        window_days=definition.window_days,
        first_window_days=definition.first_window_days,
        weights=definition.weights,
        order_value=order,
        minimum_detectable_effect=definition.minimum_detectable_effect,
        alpha=definition.alpha,
        power=definition.power,
        shares=shares if len(shares) > 1 else None,
        first_conversion_margin=definition.first_conversion_margin,
        method=definition.method,
    )


def to_weights_definition(typist: Typist) -> WeightsDefinition:
    """Return what conversions are worth; the other kind's fields are not read."""
    currency = typist.form.currency.upper() or None
    if typist.form.worth == MONEY:
        return WeightsDefinition(
            money=True,
            currency=currency,
            first_margin=typist.percent("first_margin", 1.0),
            second_margin=typist.percent("second_margin", 1.0),
        )
    return WeightsDefinition(
        first=typist.number("first_points", 1.0),
        second=typist.number("second_points", 1.0),
        currency=currency,
    )


def _second(typist: Typist) -> SecondDefinition:
    form = typist.form
    if form.second == AGAIN:
        return SecondDefinition(
            step=typist.step(form.first),
            ordinal=typist.whole("ordinal", 2),
            min_gap_hours=typist.number("gap", 0.0),
        )
    return SecondDefinition(step=typist.step(form.second))


def _optional_whole(typist: Typist, name: str) -> int | None:
    return typist.whole(name, 0) if getattr(typist.form, name) else None
