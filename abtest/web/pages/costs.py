"""The costs of an experiment: what its traffic cost, what it may cost, a new cost."""

import secrets
from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from abtest.domain.access import Right
from abtest.domain.experiment import Experiment, ExperimentKey
from abtest.services.access import Caller, caller_of_user, require
from abtest.services.costs import CostReport, describe_costs
from abtest.services.event_rules import MAX_SOURCE, EventRequest
from abtest.services.recording import Rejection, record_events
from abtest.services.reporting import Question
from abtest.web.context import current_context
from abtest.web.pages.rendering import current_reader, page
from abtest.web.pages.rights import current_user
from abtest.web.pages.views.costs import CostForm, costs_view
from abtest.web.pages.views.typed_numbers import read_number
from abtest.web.render.translate import mark

_PROBLEMS = {
    "day": mark("Please choose the day on which the money was spent."),
    "amount": mark("Please write an amount of money, 0 or more."),
    "currency": mark("Please write the currency of your experiments, for example EUR."),
    "source": mark("Please use at most {most} letters."),
}
_LATER = mark("That day lies ahead. Please enter costs once they have been spent.")


def add_to(pages: Blueprint) -> None:
    """Add the routes."""
    path = "/experiments/<key>/costs"
    pages.add_url_rule(path, "costs", show_costs)
    pages.add_url_rule(path, "add_cost", add_cost, methods=["POST"])


def show_costs(key: str) -> Response:
    """Show what was spent, and what may be."""
    context = current_context()
    experiment = context.store.get_experiment(ExperimentKey(key))
    return _page(experiment, _report(experiment))


def add_cost(key: str) -> Response:
    """Record a cost as the API would."""
    caller = caller_of_user(current_user())
    require(caller, Right.MANAGE)
    context = current_context()
    experiment = context.store.get_experiment(ExperimentKey(key))
    form, problems = request.form, dict[str, str]()
    typed = CostForm(
        id=form.get("id", "").strip(),
        day=form.get("day", "").strip(),
        amount=form.get("amount", "").strip(),
        currency=form.get("currency", "").strip().upper(),
        source=form.get("source", "").strip(),
        problems=problems,
    )
    cost = _read(experiment, typed, problems)
    if not problems:
        rejected = _record(caller, cost)
        if rejected is not None:
            field = rejected.field if rejected.field in _PROBLEMS else "amount"
            problems[field] = _said(field)
    if problems:
        return _page(experiment, _report(experiment), typed=typed, status=422)
    is_later = typed.day >= str(_today(experiment))
    done = "later" if is_later else "counted"
    return redirect(url_for("pages.costs", key=key, done=done), 303)


def _read(
    experiment: Experiment, typed: CostForm, problems: dict[str, str]
) -> EventRequest:
    """Return the cost that was typed; what cannot be read is a problem."""
    try:
        day = date.fromisoformat(typed.day)
    except ValueError:
        problems["day"] = _said("day")
    else:
        if day > _today(experiment):
            problems["day"] = current_reader().gettext(_LATER)
    try:
        amount = read_number(typed.amount, current_reader())
    except ValueError:
        amount = -1.0
    if amount < 0:
        problems["amount"] = _said("amount")
    if len(typed.source) > MAX_SOURCE:
        problems["source"] = _said("source")
    return EventRequest(
        type="cost",
        id=typed.id or None,
        experiment=experiment.key,
        day=typed.day,
        amount=amount,
        currency=typed.currency or None,
        source=typed.source or None,
    )


def _record(caller: Caller, cost: EventRequest) -> Rejection | None:
    """Record the cost; return why it was refused."""
    context = current_context()
    # Whoever may change experiments may also say what they cost, as servers do.
    bookkeeper = replace(
        caller, rights=caller.rights | {Right.RECORD, Right.RECORD_TRUSTED}
    )
    result = record_events(context.store, [cost], bookkeeper, context.now())
    return result.rejected[0] if result.rejected else None


def _said(field: str) -> str:
    reader = current_reader()
    return reader.gettext(_PROBLEMS[field], most=reader.format.integer(MAX_SOURCE))


def _today(experiment: Experiment) -> date:
    return current_context().now().astimezone(ZoneInfo(experiment.time_zone)).date()


def _report(experiment: Experiment) -> CostReport:
    context = current_context()
    question = Question(experiment=experiment.key)
    report = context.desk.report(question, now=context.now())
    return describe_costs(context.store, report)


def _page(
    experiment: Experiment,
    report: CostReport,
    *,
    typed: CostForm | None = None,
    status: int = 200,
) -> Response:
    fresh = CostForm(
        id=f"page-{secrets.token_hex(12)}",
        day=report.as_of.isoformat(),
        currency=report.currency or "",
        problems={},
    )
    return page(
        "insights/costs.html",
        status=status,
        view=costs_view(current_reader(), experiment, report),
        form=typed or fresh,
        today=str(_today(experiment)),
        may_edit=Right.MANAGE in caller_of_user(current_user()).rights,
        done=request.args.get("done", ""),
        api=current_context().settings.base_url or request.host_url.rstrip("/"),
    )
