"""The installation page of an experiment: snippets, keys, and what has arrived."""

from flask import Blueprint, request
from werkzeug.wrappers import Response

from abtest.domain.access import ApiKey, KeyKind
from abtest.domain.experiment import Experiment, ExperimentKey
from abtest.errors import AbtestError, ErrorCode
from abtest.services.access import caller_of_user, create_key, find_key
from abtest.services.arrivals import Arrivals, read_arrivals
from abtest.web.context import current_context
from abtest.web.errors import to_response
from abtest.web.exchange import json_reply
from abtest.web.pages.rendering import current_reader, page
from abtest.web.pages.rights import current_user, is_admin, require_admin
from abtest.web.pages.views.install import KeyTold, headline, install_view

_MAX_TYPED = 200


def add_to(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule(
        "/experiments/<key>/install", "install", install, methods=["GET", "POST"]
    )
    pages.add_url_rule(
        "/experiments/<key>/install/status", "install_status", install_status
    )


def install(key: str) -> Response:
    """Show how it is built in; with a key in the snippets where one was given."""
    experiment = current_context().store.get_experiment(ExperimentKey(key))
    if request.method == "GET":
        return _page(experiment, KeyTold())
    if request.form.get("do") == "make":
        return _make_key(experiment)
    return _use_key(experiment)


def install_status(key: str) -> Response:
    """Tell a waiting page in a line whether the first visitor has come."""
    experiment = current_context().store.get_experiment(ExperimentKey(key))
    arrivals = _arrivals(experiment)
    found = headline(current_reader(), experiment, arrivals)
    content: dict[str, object] = {
        "arrived": arrivals.has_visitors,
        "words": found.title,
    }
    return to_response(json_reply(content))


def _use_key(experiment: Experiment) -> Response:
    """Put a key that somebody holds into the snippets."""
    say = current_reader().gettext
    typed = request.form.get("key_text", "").strip()[:_MAX_TYPED]
    found = find_key(current_context().store, typed) if typed else None
    if found is not None and found.kind is KeyKind.PUBLISHABLE:
        return _page(experiment, KeyTold(text=typed))
    words = say("This key is not known here, or it was revoked.")
    if found is not None:
        words = say(
            "This key is secret and must never stand on a page. Use one for browsers;"
            " it begins with abtest_pk_."
        )
    return _page(experiment, KeyTold(problems={"key_text": words}), status=422)


def _make_key(experiment: Experiment) -> Response:
    """Make a key for browsers and show it this once."""
    require_admin()
    context = current_context()
    typed = request.form.get("origins", "")
    try:
        new = create_key(
            context.store,
            KeyKind.PUBLISHABLE,
            name=experiment.name,
            origins=tuple(typed.split()),
            caller=caller_of_user(current_user()),
            now=context.now(),
        )
    except AbtestError as error:
        if error.code is not ErrorCode.INVALID:
            raise
        words = current_reader().gettext(
            "Write each address as {example}: lower case, without a path.",
            example="https://www.example.com",
        )
        told = KeyTold(problems={"origins": words}, origins=typed)
        return _page(experiment, told, status=422)
    return _page(experiment, KeyTold(text=new.secret, is_new=True))


def _page(experiment: Experiment, told: KeyTold, *, status: int = 200) -> Response:
    view = install_view(
        current_reader(),
        experiment,
        _arrivals(experiment),
        service=_service(),
        keys=_browser_keys(),
        told=told,
        may_make_keys=is_admin(),
    )
    return page("install.html", status=status, view=view)


def _arrivals(experiment: Experiment) -> Arrivals:
    context = current_context()
    return read_arrivals(context.store, experiment, context.now())


def _browser_keys() -> tuple[ApiKey, ...]:
    return tuple(
        key
        for key in current_context().store.list_keys()
        if key.kind is KeyKind.PUBLISHABLE and key.revoked_at is None
    )


def _service() -> str:
    """Return the origin that pages reach this service at."""
    told = current_context().settings.base_url
    return (told or request.host_url).rstrip("/")
