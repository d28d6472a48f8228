"""Setting up an experiment: one page for a new one and for one that is there."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from abtest.domain.access import Right
from abtest.domain.experiment import Experiment, ExperimentKey, Status
from abtest.errors import AbtestError, ErrorCode
from abtest.services.access import Caller, caller_of_user, require
from abtest.services.calculating import calculate
from abtest.services.checklist import CheckLine, check_before_start
from abtest.services.definition import definition_of
from abtest.services.definition_rules import RESERVED_KEYS, to_experiment
from abtest.services.experiments import create_experiment, update_experiment
from abtest.services.set_up_notes import SetUpNotes, keep_notes, read_notes
from abtest.web.context import current_context
from abtest.web.pages.rendering import current_reader, page
from abtest.web.pages.rights import current_user
from abtest.web.pages.views.set_up_changes import (
    apply_change,
    first_form,
    histories,
)
from abtest.web.pages.views.set_up_form import (
    SetUpForm,
    form_of,
    kept_as_stored,
    read_form,
)
from abtest.web.pages.views.set_up_page import Told, set_up_page
from abtest.web.pages.views.set_up_plan import PlanPanel, outline_plan, plan_panel
from abtest.web.pages.views.set_up_problems import problems_of
from abtest.web.pages.views.set_up_reading import (
    Typist,
    to_definition,
    to_notes,
    to_question,
)
from abtest.web.render.translate import mark

NOTICES = {
    "saved": mark("Saved."),
    "start": mark("Started: visitors are shown the variants from now on."),
    "pause": mark("Paused: everybody sees the control."),
    "resume": mark("It goes on."),
    "close": mark("No new visitors enter; those inside are followed on."),
    "stop": mark("Stopped."),
    "decide": mark("Decided."),
    "archive": mark("Archived."),
}
_STALE = mark(
    "Somebody else changed this experiment meanwhile. Your text is still here: compare"
    " it with the stored one in another tab, then save again."
)
_REFUSED_KEY = mark("This key is taken; choose another one.")


def add_to(pages: Blueprint) -> None:
    """Add the routes."""
    both = ["GET", "POST"]
    pages.add_url_rule(
        "/experiments/new", "new_experiment", new_experiment, methods=both
    )
    pages.add_url_rule("/experiments/<key>/set-up", "set_up", set_up, methods=both)


def current_caller() -> Caller:
    """Return what the signed-in person may do."""
    return caller_of_user(current_user())


def may_edit() -> bool:
    """Tell whether the signed-in person may change experiments."""
    return Right.MANAGE in current_caller().rights


def new_experiment() -> Response:
    """Make a draft."""
    require(current_caller(), Right.MANAGE)
    if request.method == "GET":
        form = first_form(current_context().store, current_reader())
        return _shown(None, form, Told())
    return _answer(None, read_form(request.form))


def set_up(key: str) -> Response:
    """Show an experiment's plan, and change what may still change."""
    store = current_context().store
    experiment = store.get_experiment(ExperimentKey(key))
    notes = read_notes(store, experiment.key)
    stored = form_of(experiment, notes, current_reader())
    if request.method == "GET":
        done = NOTICES.get(request.args.get("done", ""), "")
        notice = done and current_reader().gettext(done)
        told = Told(notice=notice, plan=_stored_plan(stored, experiment, notes))
        return _shown(experiment, stored, told)
    require(current_caller(), Right.MANAGE)
    typed = read_form(request.form)
    if experiment.status is not Status.DRAFT:
        may_split = experiment.status in {Status.RUNNING, Status.PAUSED}
        typed = kept_as_stored(typed, stored, has_shares=may_split)
    return _answer(experiment, replace(typed, key=experiment.key))


def show_set_up(
    experiment: Experiment, problems: Mapping[str, str], *, status: int
) -> Response:
    """Show the stored experiment with what went wrong elsewhere on the page."""
    notes = read_notes(current_context().store, experiment.key)
    form = form_of(experiment, notes, current_reader())
    return _shown(experiment, form, Told(problems=problems), status=status)


def _answer(experiment: Experiment | None, form: SetUpForm) -> Response:
    """Do what the button says."""
    match request.form.get("do", "save"):
        case "save":
            return _save(experiment, form)
        case "plan":
            plan, problems = _planned(form, experiment)
            told = Told(problems=problems, plan=plan)
            return _shown(experiment, form, told, status=_status(problems))
        case change:
            context = current_context()
            changed = apply_change(
                form, change, context.store, current_reader(), context.now()
            )
            told = Told(problems=changed.problems, worth_found=changed.worth_found)
            status = _status(changed.problems)
            return _shown(experiment, changed.form, told, status=status)


def _save(experiment: Experiment | None, form: SetUpForm) -> Response:
    context = current_context()
    base = None if experiment is None else definition_of(experiment)
    typist = Typist(form=form, reader=current_reader())
    definition, notes = to_definition(typist, base=base), to_notes(typist)
    problems = typist.problems
    try:
        to_experiment(definition, salt="-", now=context.now())
    except AbtestError as error:
        problems = problems_of(current_reader(), error.errors) | problems
    if experiment is None and definition.key in RESERVED_KEYS:
        problems["key"] = current_reader().gettext(_REFUSED_KEY)
    if experiment is None and not form.name:
        problems = {"name": current_reader().gettext("Give it a name.")} | problems
        problems.pop("key", None)
    if experiment is not None and form.version != str(experiment.version):
        fresh = replace(form, version=str(experiment.version))
        stale = {"form": current_reader().gettext(_STALE)}
        return _shown(experiment, fresh, Told(problems=stale), status=409)
    if problems:
        return _shown(experiment, form, Told(problems=problems), status=422)
    caller, now = current_caller(), context.now()
    try:
        if experiment is None:
            saved = create_experiment(context.store, definition, caller, now)
        else:
            saved = update_experiment(
                context.store, experiment, definition, caller, now
            )
    except AbtestError as error:
        return _not_saved(experiment, form, error)
    keep_notes(context.store, saved.key, notes)
    return redirect(url_for("pages.set_up", key=saved.key, done="saved"), 303)


def _not_saved(
    experiment: Experiment | None, form: SetUpForm, error: AbtestError
) -> Response:
    """Tell what the service refused; the values stay."""
    if error.code not in {ErrorCode.INVALID, ErrorCode.CONFLICT}:
        raise error
    problems = problems_of(current_reader(), error.errors)
    if not problems:
        is_taken = experiment is None
        words = current_reader().gettext(_REFUSED_KEY if is_taken else _STALE)
        problems = {"key" if is_taken else "form": words}
    return _shown(experiment, form, Told(problems=problems), status=409)


def _stored_plan(
    form: SetUpForm, experiment: Experiment, notes: SetUpNotes
) -> PlanPanel | None:
    """Return the plan of a draft, where there is one and somebody can calculate it."""
    if experiment.status is not Status.DRAFT or not notes.is_plan:
        return None
    with suppress(AbtestError):  # the page is of use without it
        return _planned(form, experiment)[0]
    return None


def _planned(
    form: SetUpForm, experiment: Experiment | None
) -> tuple[PlanPanel | None, dict[str, str]]:
    """Return the plan for what is typed, or what keeps it from being made."""
    context, reader = current_context(), current_reader()
    base = None if experiment is None else definition_of(experiment)
    typist = Typist(form=form, reader=reader)
    definition, notes = to_definition(typist, base=base), to_notes(typist)
    try:
        question = to_question(definition, notes)
        task = partial(
            outline_plan, question=question, now=context.now(), tag=reader.tag
        )
        outline = calculate(context.calculator, task)
    except AbtestError as error:
        if error.code is not ErrorCode.INVALID:
            raise
        return None, problems_of(reader, error.errors) | typist.problems
    if typist.problems:
        return None, typist.problems
    return plan_panel(reader, outline), {}


def _status(problems: Mapping[str, str]) -> int:
    return 422 if problems else 200


def _shown(
    experiment: Experiment | None, form: SetUpForm, told: Told, *, status: int = 200
) -> Response:
    store = current_context().store
    notes: SetUpNotes | None = None
    checklist: tuple[CheckLine, ...] = ()
    if experiment is not None:
        notes = read_notes(store, experiment.key)
        if experiment.status is Status.DRAFT:
            checklist = check_before_start(store, experiment, notes)
    view = set_up_page(
        current_reader(),
        form,
        experiment,
        may_edit=may_edit(),
        told=told,
        histories=histories(store, besides=experiment),
        checklist=checklist,
        notes=notes,
    )
    return page("set_up.html", status=status, view=view)
