"""The set-up page: the form with its choices, the checklist, previews and the life."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from markupsafe import Markup

from abtest.domain.experiment import Action, Experiment, Method, Status
from abtest.domain.funnel import StepKind
from abtest.services.checklist import Check, CheckLine, CheckState
from abtest.services.experiments import possible_actions
from abtest.services.set_up_notes import SetUpNotes
from abtest.web.pages.views.funnel_templates import TEMPLATES
from abtest.web.pages.views.set_up_form import AGAIN, FROZEN, SetUpForm
from abtest.web.pages.views.set_up_plan import PlanPanel
from abtest.web.pages.views.set_up_problems import Problem, summary
from abtest.web.render.qr import draw_qr
from abtest.web.render.reader import Reader
from abtest.web.render.translate import mark
from abtest.web.render.words import KINDS, METHODS, STATUSES

TIME_ZONES = (
    "Europe/Berlin", "Europe/Vienna", "Europe/Zurich", "Europe/London",
    "Europe/Paris", "Europe/Warsaw", "America/New_York", "America/Los_Angeles", "UTC",
)  # fmt: skip
NEW = "/experiments/new"
CURRENCIES = ("EUR", "CHF", "GBP", "USD")

_OPEN = frozenset({Status.DRAFT, Status.RUNNING, Status.PAUSED})

_METHOD_NAMES: Mapping[Method, str] = {
    Method.SEQUENTIAL: mark("Daily looks"),
    Method.FIXED: mark("One look at the end"),
    Method.BAYESIAN: mark("Probabilities"),
}

_CHECKS: Mapping[Check, tuple[str, str]] = {
    Check.HYPOTHESIS: (
        mark("A hypothesis is written"),
        mark("Write down what you believe and why; later nobody remembers."),
    ),
    Check.VARIANTS: (
        mark("The control and at least one variant have a share"),
        mark("Give the control and one other variant a share above 0."),
    ),
    Check.SECOND_IN_REACH: (
        mark("The second conversion fits into the window"),
        mark(
            "Within the window nobody can reach the second conversion. Follow visitors"
            " for longer, or choose a step that comes after the first conversion."
        ),
    ),
    Check.PLAN: (
        mark("The length is planned"),
        mark("Fill in the planner, so that you know the day of the decision."),
    ),
    Check.SNIPPET: (
        mark("A page or server has called with a key"),
        mark("Nothing has arrived yet. Put the snippet on the page."),
    ),
    Check.ALONE: (
        mark("No other experiment runs"),
        mark(
            "Also running: {names}. On the same page they disturb each other; name"
            " each page's experiments in the snippet (data-experiments)."
        ),
    ),
}
_STATE_TONES = {
    CheckState.DONE: "good",
    CheckState.OPEN: "choice",
    CheckState.NOTICE: "wait",
}
_STATE_WORDS: Mapping[CheckState, str] = {
    CheckState.DONE: mark("done"),
    CheckState.OPEN: mark("open"),
    CheckState.NOTICE: mark("have a look"),
}

_ACTIONS: Mapping[Action, tuple[str, str]] = {
    Action.START: (
        mark("Start"),
        mark(
            "From now on visitors are shown the variants and are counted. Funnel,"
            " conversions, window and method are fixed then."
        ),
    ),
    Action.PAUSE: (
        mark("Pause"),
        mark("Everybody sees the control and nobody new is counted, until you go on."),
    ),
    Action.RESUME: (
        mark("Go on"),
        mark("New visitors enter again, with the same shares as before."),
    ),
    Action.CLOSE: (
        mark("Take no new visitors"),
        mark(
            "The usual step once enough visitors were sent. Those inside keep their"
            " variant and are followed on. It cannot be opened again."
        ),
    ),
    Action.STOP: (
        mark("Stop without a decision"),
        mark(
            "Everybody sees the control again. A stopped experiment cannot be started"
            " anew; you can still decide."
        ),
    ),
    Action.DECIDE: (
        mark("Decide …"),
        mark(
            "Choose the variant that everybody sees from then on; keeping the control"
            " is a choice as good as any. The next page asks for it."
        ),
    ),
    Action.ARCHIVE: (
        mark("Archive"),
        mark(
            "It is put away and cannot come back. Results stay readable, a decision"
            " stays in force."
        ),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One option of a list."""

    value: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListLine:
    """One line of the checklist."""

    tone: str
    word: str
    title: str
    advice: str
    is_snippet: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A link that shows one variant and counts nobody."""

    name: str
    url: str
    code: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeStep:
    """Something that may be done to the experiment."""

    action: str
    words: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUpPage:
    """The page.

    Attributes:
        key: of the stored experiment; empty for a new one.
        address: where the form is sent.
        is_editable: whether the reader may change anything.
        is_started: whether the plan is fixed.
        has_shares: whether shares and coverage may still change.
        problems: sentences by field.
        worth_found: what the little calculator found; empty when it was not asked.
    """

    key: str
    title: str
    address: str
    status: str
    status_word: str
    form: SetUpForm
    is_editable: bool
    is_started: bool
    has_shares: bool
    frozen: frozenset[str]
    problems: Mapping[str, str] = field(default_factory=dict)
    summary: tuple[Problem, ...] = ()
    notice: str = ""
    worth_found: str = ""
    templates: tuple[Choice, ...] = ()
    kinds: tuple[Choice, ...] = ()
    firsts: tuple[Choice, ...] = ()
    seconds: tuple[Choice, ...] = ()
    histories: tuple[Choice, ...] = ()
    methods: tuple[tuple[Choice, str], ...] = ()
    designs: tuple[Choice, ...] = ()
    zones: tuple[str, ...] = TIME_ZONES
    currencies: tuple[str, ...] = CURRENCIES
    plan: PlanPanel | None = None
    checklist: tuple[ListLine, ...] = ()
    previews: tuple[Preview, ...] = ()
    life: tuple[LifeStep, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the page answers to whoever sent it.

    Attributes:
        problems: sentences by field.
        plan: the planner's answer.
        notice: what was just done.
        worth_found: what the calculator of the worth found.
    """

    problems: Mapping[str, str] = field(default_factory=dict)
    plan: PlanPanel | None = None
    notice: str = ""
    worth_found: str = ""


def set_up_page(
    reader: Reader,
    form: SetUpForm,
    experiment: Experiment | None,
    *,
    may_edit: bool,
    told: Told,
    histories: Sequence[Experiment],
    checklist: Sequence[CheckLine] = (),
    notes: SetUpNotes | None = None,
) -> SetUpPage:
    """Describe the page.

    Args:
        reader: whom it is written for.
        form: what stands in the fields.
        experiment: the stored one; None for a new one.
        may_edit: whether the reader may change experiments.
        told: the answer to what was sent.
        histories: experiments whose rates can be taken.
        checklist: of a draft.
        notes: stored beside the experiment, for previews.
    """
    status = experiment.status if experiment else Status.DRAFT
    is_started = status is not Status.DRAFT
    return SetUpPage(
        key=experiment.key if experiment else "",
        title=experiment.name if experiment else reader.gettext("New experiment"),
        address=f"/experiments/{experiment.key}/set-up" if experiment else NEW,
        status=status.value,
        status_word=reader.gettext(STATUSES[status]),
        form=form,
        is_editable=may_edit and status is not Status.ARCHIVED,
        is_started=is_started,
        has_shares=status in _OPEN,
        # A stored key is for ever, whatever else may still change.
        frozen=frozenset(FROZEN if is_started else ("key",) if experiment else ()),
        problems=told.problems,
        summary=summary(told.problems),
        notice=told.notice,
        worth_found=told.worth_found,
        templates=tuple(
            Choice(value=f"template-{name}", words=reader.gettext(t.words))
            for name, t in TEMPLATES.items()
        ),
        kinds=tuple(
            Choice(value=kind.value, words=reader.gettext(KINDS[kind]))
            for kind in StepKind
        ),
        firsts=_steps(reader, form),
        seconds=_seconds(reader, form),
        histories=tuple(Choice(value=e.key, words=e.name) for e in reversed(histories)),
        methods=tuple(
            (
                Choice(value=m.value, words=reader.gettext(_METHOD_NAMES[m])),
                reader.gettext(METHODS[m]),
            )
            for m in Method
        ),
        designs=(
            Choice(
                value="group_sequential",
                words=reader.gettext("Looks planned until the end (usual)"),
            ),
            Choice(
                value="always_valid",
                words=reader.gettext("Any number of looks, without an end"),
            ),
        ),
        plan=told.plan,
        checklist=tuple(_line(reader, line) for line in checklist),
        previews=_previews(reader, experiment, notes),
        life=_life(reader, experiment) if may_edit else (),
    )


def preview_url(page_url: str, experiment: str, variant: str) -> str:
    """Return the address that shows the variant without counting anybody."""
    parts = urlsplit(page_url)
    asked = parse_qsl(parts.query, keep_blank_values=True)
    query = urlencode([*asked, ("abtest_force", f"{experiment}.{variant}")])
    return urlunsplit(parts._replace(query=query))


def _steps(reader: Reader, form: SetUpForm) -> tuple[Choice, ...]:
    return tuple(
        Choice(
            value=str(i),
            words=step.name
            or reader.gettext("Step {n}", n=reader.format.integer(i + 1)),
        )
        for i, step in enumerate(form.steps)
    )


def _seconds(reader: Reader, form: SetUpForm) -> tuple[Choice, ...]:
    again = reader.gettext("The same step again")
    return (Choice(value=AGAIN, words=again), *_steps(reader, form))


def _line(reader: Reader, line: CheckLine) -> ListLine:
    title, advice = _CHECKS[line.check]
    is_done = line.state is CheckState.DONE
    return ListLine(
        tone=_STATE_TONES[line.state],
        word=reader.gettext(_STATE_WORDS[line.state]),
        title=reader.gettext(title),
        advice="" if is_done else _advice(reader, advice, line.names),
        is_snippet=line.check is Check.SNIPPET and not is_done,
    )


def _advice(reader: Reader, advice: str, names: Sequence[str]) -> str:
    if not names:
        return reader.gettext(advice)
    return reader.gettext(advice, names=", ".join(names))


def _previews(
    reader: Reader, experiment: Experiment | None, notes: SetUpNotes | None
) -> tuple[Preview, ...]:
    if experiment is None or notes is None or not notes.page_url:
        return ()
    links = (
        (v.name, preview_url(notes.page_url, experiment.key, v.key))
        for v in experiment.variants
    )
    return tuple(
        Preview(
            name=name,
            url=url,
            code=draw_qr(
                url, title=reader.gettext("QR code that opens {variant}", variant=name)
            ),
        )
        for name, url in links
    )


def _life(reader: Reader, experiment: Experiment | None) -> tuple[LifeStep, ...]:
    if experiment is None:
        return ()
    return tuple(
        LifeStep(
            action=action.value,
            words=reader.gettext(_ACTIONS[action][0]),
            sentence=reader.gettext(_ACTIONS[action][1]),
        )
        for action in possible_actions(experiment)
    )
