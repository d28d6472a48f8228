"""Links to results, notes in the decision log, and what a link shows."""

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from abtest.domain.experiment import ExperimentKey
from abtest.domain.share import ShareLinkId
from abtest.services.access import caller_of_user
from abtest.services.experiments import MAX_NOTE, add_note
from abtest.services.reporting import Question
from abtest.services.sharing import open_link, revoke_link, share_results
from abtest.web.context import current_context
from abtest.web.pages.rendering import current_reader, page
from abtest.web.pages.results import find_story, results_page
from abtest.web.pages.rights import current_user
from abtest.web.pages.views.results import SHARED, results_view


def add_to(pages: Blueprint) -> None:
    """Add the routes."""
    one = "/experiments/<key>"
    pages.add_url_rule(f"{one}/notes", "note", note, methods=["POST"])
    pages.add_url_rule(f"{one}/links", "share", share, methods=["POST"])
    pages.add_url_rule(
        f"{one}/links/<link_id>/revoke", "unshare", unshare, methods=["POST"]
    )
    pages.add_url_rule("/share/<token>", "shared", show_shared)


def note(key: str) -> AnyResponse:
    """Write a note into the decision log."""
    text, say = request.form.get("note", "").strip(), current_reader().gettext
    caller, context = caller_of_user(current_user()), current_context()
    if not text:
        wrong = say("Please write something.")
        return results_page(key, status=422, wrong=wrong)
    if len(text) > MAX_NOTE:
        wrong = say("Use at most 2,000 characters.")
        return results_page(key, status=422, note=text, wrong=wrong)
    add_note(context.store, ExperimentKey(key), text, caller, context.now())
    return redirect(url_for("pages.results", key=key, _anchor="log"), 303)


def share(key: str) -> Response:
    """Make a link and show it this once.

    There is no redirect: its token is kept nowhere that the next page could find it.
    """
    context, days = current_context(), request.form.get("days", "")
    new = share_results(
        context.store,
        ExperimentKey(key),
        days=int(days) if days.isdecimal() and len(days) < 5 else 0,
        caller=caller_of_user(current_user()),
        now=context.now(),
    )
    return results_page(key, token=new.token)


def unshare(key: str, link_id: str) -> AnyResponse:
    """Let a link lead nowhere from now on."""
    context = current_context()
    revoke_link(
        context.store,
        ExperimentKey(key),
        ShareLinkId(link_id),
        caller=caller_of_user(current_user()),
        now=context.now(),
    )
    return redirect(url_for("pages.results", key=key, _anchor="exports"), 303)


def show_shared(token: str) -> Response:
    """Show the results to whoever has the link: no ways elsewhere, no actions."""
    context, reader = current_context(), current_reader()
    key = open_link(context.store, token, context.now())
    report = context.desk.report(Question(experiment=key), now=context.now())
    story = find_story(key)
    view = results_view(
        reader,
        report,
        context.store.get_experiment(key),
        has_days=story.over_time is not None,
        hidden=SHARED,
    )
    answer = page(
        "results.html",
        layout="shared.html",
        is_handed_over=True,
        is_shared=True,
        view=view,
        story=story,
    )
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
