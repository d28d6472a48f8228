"""The life of an experiment: start, pause, go on, close, stop, decide, archive."""

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from abtest.domain.access import Right
from abtest.domain.experiment import Action, Experiment, ExperimentKey
from abtest.services.access import require
from abtest.services.experiments import MAX_NOTE, act_on_experiment
from abtest.services.report import ExperimentReport
from abtest.services.reporting import Question
from abtest.web.context import current_context
from abtest.web.pages.rendering import current_reader, page
from abtest.web.pages.set_up import current_caller, show_set_up
from abtest.web.pages.views.decide import decide_view


def add_to(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/experiments/<key>/life", "life", act, methods=["POST"])
    pages.add_url_rule(
        "/experiments/<key>/decide", "decide", decide, methods=["GET", "POST"]
    )


def act(key: str) -> Response:
    """Take the experiment a step further; a decision is asked for on its own page."""
    require(current_caller(), Right.MANAGE)
    context = current_context()
    experiment = context.store.get_experiment(ExperimentKey(key))
    action = _action(experiment)
    if action is None:
        words = current_reader().gettext(
            "This is not possible any more; the page now shows what is."
        )
        return show_set_up(experiment, {"life": words}, status=409)
    if action is Action.DECIDE:
        return redirect(url_for("pages.decide", key=key), 303)
    note = request.form.get("note", "").strip()
    if len(note) > MAX_NOTE:
        return show_set_up(experiment, {"note": _too_long()}, status=422)
    act_on_experiment(
        context.store,
        experiment.key,
        action,
        current_caller(),
        context.now(),
        note=note,
    )
    return redirect(url_for("pages.set_up", key=key, done=action.value), 303)


def decide(key: str) -> Response:
    """Show what is known, and take the decision: nothing is chosen beforehand."""
    require(current_caller(), Right.MANAGE)
    context = current_context()
    experiment = context.store.get_experiment(ExperimentKey(key))
    if not experiment.allows(Action.DECIDE):
        return redirect(url_for("pages.set_up", key=key), 303)
    if request.method == "GET":
        return _decide_page(experiment, {})
    problems = _problems(experiment)
    if problems:
        return _decide_page(experiment, problems, status=422)
    act_on_experiment(
        context.store,
        experiment.key,
        Action.DECIDE,
        current_caller(),
        context.now(),
        variant=request.form["variant"],
        note=request.form.get("note", "").strip(),
        report=_report(experiment).fingerprint,
    )
    return redirect(url_for("pages.set_up", key=key, done="decide"), 303)


def _action(experiment: Experiment) -> Action | None:
    """Return what was asked for, where it is possible."""
    wanted = request.form.get("action", "")
    return next((a for a in Action if a == wanted and experiment.allows(a)), None)


def _problems(experiment: Experiment) -> dict[str, str]:
    say, found = current_reader().gettext, {}
    if request.form.get("variant") not in {v.key for v in experiment.variants}:
        found["variant"] = say("Choose a variant; keeping the control is a choice too.")
    if request.form.get("seen") != "yes":
        found["seen"] = say(
            "Confirm that you have read whether the numbers can be trusted."
        )
    if len(request.form.get("note", "")) > MAX_NOTE:
        found["note"] = _too_long()
    return found


def _too_long() -> str:
    return current_reader().gettext("Use at most 2,000 characters.")


def _report(experiment: Experiment) -> ExperimentReport:
    """Return the report that a decision is taken from."""
    context = current_context()
    question = Question(experiment=experiment.key)
    return context.desk.report(question, now=context.now())


def _decide_page(
    experiment: Experiment, problems: dict[str, str], *, status: int = 200
) -> Response:
    view = decide_view(
        current_reader(),
        experiment,
        _report(experiment),
        chosen=request.form.get("variant", ""),
        note=request.form.get("note", ""),
        has_seen=request.form.get("seen") == "yes",
        problems=problems,
    )
    return page("decide.html", status=status, view=view)
