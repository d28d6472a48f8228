"""The data quality of an experiment: can its numbers be trusted, and why."""

from flask import Blueprint, Response

from abtest.domain.experiment import ExperimentKey
from abtest.services.quality import read_quality
from abtest.services.reporting import Question
from abtest.web.context import current_context
from abtest.web.pages.rendering import current_reader, page
from abtest.web.pages.views.data_quality import data_quality_view


def add_to(pages: Blueprint) -> None:
    """Add the route."""
    pages.add_url_rule("/experiments/<key>/health", "health", show_health)


def show_health(key: str) -> Response:
    """Show every check with its value, its threshold, and what to do."""
    context = current_context()
    store, now = context.store, context.now()
    experiment = store.get_experiment(ExperimentKey(key))
    view = data_quality_view(
        current_reader(),
        experiment,
        context.desk.report(Question(experiment=experiment.key), now=now),
        quality=read_quality(store, experiment.key, now=now),
        activity=store.activity(experiment.key),
    )
    return page("insights/health.html", view=view)
