"""Routes about experiments: their life, their results, their plans."""

from dataclasses import replace
from functools import partial

from abtest.domain.access import Right
from abtest.domain.experiment import Action
from abtest.web.api import (
    cohorts,
    costs,
    customers,
    experiments,
    files,
    funnel,
    plan,
    report,
    segments,
    timeseries,
)
from abtest.web.api.plan_shapes import PlanBody, PlanView
from abtest.web.api.serving import BASE, Route, guarded_route
from abtest.web.api.shapes import (
    ActionBody,
    ExperimentBody,
    ExperimentPage,
    ExperimentView,
)

_ONE = f"{BASE}/experiments/{{key}}"

_ACTIONS = {
    Action.START: "Begin to show the variants; the plan is fixed from now on",
    Action.PAUSE: "Show everybody the control for a while",
    Action.RESUME: "Go on after a pause",
    Action.CLOSE: "Take no new visitors; those inside are followed on",
    Action.STOP: "End it without a decision",
    Action.DECIDE: "End it and show everybody the chosen variant",
    Action.ARCHIVE: "Put it away",
}

EXPERIMENT_ROUTES: tuple[Route, ...] = (
    guarded_route(
        "GET",
        f"{BASE}/experiments",
        "Experiments, oldest first",
        experiments.list_experiments,
        Right.READ,
        query=experiments.PAGE,
        answer=ExperimentPage,
    ),
    guarded_route(
        "POST",
        f"{BASE}/experiments",
        "Make a draft",
        experiments.post_experiment,
        Right.MANAGE,
        body=ExperimentBody,
        answer=ExperimentView,
        status=201,
        errors=(409, 413),
    ),
    guarded_route(
        "GET",
        _ONE,
        "One experiment",
        experiments.get_experiment,
        Right.READ,
        answer=ExperimentView,
        errors=(404,),
    ),
    guarded_route(
        "PATCH",
        _ONE,
        "Change what the body holds; If-Match guards against losing another's change",
        experiments.patch_experiment,
        Right.MANAGE,
        body=ExperimentBody,
        answer=ExperimentView,
        errors=(404, 409, 412, 413),
    ),
    *(
        guarded_route(
            "POST",
            f"{_ONE}/{action}",
            summary,
            partial(experiments.post_action, action),
            Right.MANAGE,
            body=ActionBody,
            answer=ExperimentView,
            errors=(404, 409, 413),
        )
        for action, summary in _ACTIONS.items()
    ),
    guarded_route(
        "GET",
        f"{_ONE}/report",
        "What came out: estimates, tests, health and verdict",
        report.get_report,
        Right.READ,
        query=report.PARAMETERS,
        answer=dict[str, object],
        errors=(404,),
    ),
    replace(
        guarded_route(
            "GET",
            f"{_ONE}/files/{{name}}",
            "The report as a file: report.html, report.xlsx, report.csv and others",
            files.get_file,
            Right.READ,
            query=files.PARAMETERS,
            errors=(404,),
        ),
        content_type="application/octet-stream",
    ),
    guarded_route(
        "GET",
        f"{_ONE}/customers",
        "Key figures of the customers each variant won; diagnostics, never a verdict",
        customers.get_customers,
        Right.READ,
        query=customers.PARAMETERS,
        answer=dict[str, object],
        errors=(404,),
    ),
    guarded_route(
        "GET",
        f"{_ONE}/costs",
        "What the visitors cost, beside what they may cost",
        costs.get_costs,
        Right.READ,
        query=costs.PARAMETERS,
        answer=dict[str, object],
        errors=(404,),
    ),
    guarded_route(
        "GET",
        f"{_ONE}/segments",
        "Effects within groups of visitors; an exploration, never a verdict",
        segments.get_segments,
        Right.READ,
        query=segments.PARAMETERS,
        answer=dict[str, object],
        errors=(404,),
    ),
    guarded_route(
        "GET",
        f"{_ONE}/timeseries",
        "How it went, day by day: estimates, effects, looks and changes",
        timeseries.get_timeseries,
        Right.READ,
        query=timeseries.PARAMETERS,
        answer=dict[str, object],
        errors=(404,),
    ),
    guarded_route(
        "GET",
        f"{_ONE}/cohorts",
        "Visitors by the week of their exposure, and what became of them since",
        cohorts.get_cohorts,
        Right.READ,
        query=cohorts.PARAMETERS,
        answer=dict[str, object],
        errors=(404,),
    ),
    guarded_route(
        "GET",
        f"{BASE}/funnel",
        "The funnel of all traffic, its biggest leak and strongest lever",
        funnel.get_funnel,
        Right.READ,
        query=funnel.PARAMETERS,
        answer=dict[str, object],
        errors=(404,),
    ),
    guarded_route(
        "POST",
        f"{BASE}/plan",
        "How many visitors, how many days, and when to decide; stores nothing",
        plan.post_plan,
        Right.READ,
        query=plan.PARAMETERS,
        body=PlanBody,
        answer=PlanView,
        errors=(404, 413),
    ),
)
