"""Which variants a visitor is shown, and that they were: the exposure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from abtest.domain.access import Right
from abtest.domain.assignment import Assignment, AssignmentReason, choose_variant
from abtest.domain.events import Exposure
from abtest.domain.experiment import (
    Experiment,
    ExperimentKey,
    Variant,
    VariantKey,
    VisitorId,
)
from abtest.domain.visitor import to_milliseconds
from abtest.errors import FieldError
from abtest.services.access import Caller, require
from abtest.services.catalogue import Catalogue, Shown, catalogue_of
from abtest.services.checks import (
    AttributeValue,
    attributes_json,
    check_person,
    listed,
    shown,
)
from abtest.services.identifiers import new_id, new_visitor_id
from abtest.services.quality import tally_shown
from abtest.store.protocol import ExposureOutcome, Store

# Words in the User-Agent of the crawlers that visit landing pages most, each from its
# owner's documentation. Tools and headless browsers are not here: people test with
# them.
_CRAWLER = re.compile(
    r"googlebot|adsbot-google|mediapartners-google|google-inspectiontool|bingbot"
    r"|adidxbot|slurp|duckduckbot|baiduspider|yandexbot|applebot|petalbot|seznambot"
    r"|facebookexternalhit|facebot|twitterbot|linkedinbot|pinterestbot|slackbot"
    r"|whatsapp|telegrambot|discordbot|ahrefsbot|semrushbot|mj12bot|dotbot|gptbot"
    r"|chatgpt-user|oai-searchbot|claudebot|perplexitybot|bytespider|ccbot|amazonbot"
    r"|uptimerobot|pingdom",
    re.IGNORECASE,
)


@dataclass(slots=True, kw_only=True)
class AssignRequest:
    """What a page asks.

    Attributes:
        experiments: keys; None asks for all that are not drafts or archived.
        url: the page, for later use in targeting.
        attributes: of the visitor; kept with the exposure.
        consent: whether the visitor may be recorded.
        force: variant by experiment, for a look that never counts.
    """

    visitor: str | None = None
    experiments: tuple[str, ...] | None = None
    url: str | None = None
    attributes: dict[str, AttributeValue] | None = None
    consent: bool = True
    force: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignResult:
    """The answer for all experiments asked for.

    Attributes:
        visitor_created: the visitor's id was made here; the page must keep it.
        errors: what of the request could not be answered.
    """

    visitor: VisitorId
    visitor_created: bool
    shown: tuple[Shown, ...]
    errors: tuple[FieldError, ...] = ()


@lru_cache(maxsize=4096)
def is_crawler(user_agent: str) -> bool:
    """Tell whether the browser calls itself by the name of a well-known crawler."""
    return _CRAWLER.search(user_agent) is not None


def assign(
    store: Store,
    request: AssignRequest,
    caller: Caller,
    now: datetime,
    *,
    is_recorded: bool,
) -> AssignResult:
    """Decide what the visitor sees, and store new exposures durably.

    A visitor who has seen everything before costs one read and no write.

    Args:
        is_recorded: False gives the same answer and stores nothing.

    Raises:
        AbtestError: `invalid` for an unfit visitor; `not_allowed`; `unavailable`, and
            then nothing was stored.
    """
    require(caller, Right.ASSIGN)
    if request.visitor is None:
        visitor = VisitorId(new_visitor_id(now))
    else:
        visitor = VisitorId(check_person("/visitor", request.visitor))
    is_outsider = caller.is_crawler or not request.consent
    catalogue = catalogue_of(store.list_experiments())
    experiments, errors = _asked_for(catalogue, request)
    seen: Mapping[ExperimentKey, VariantKey] = {}
    if request.visitor is not None and not is_outsider:
        seen = store.find_exposures(visitor)
    decided: list[tuple[Experiment, Assignment]] = []
    fresh: dict[ExperimentKey, VariantKey] = {}
    for experiment in experiments:
        key = experiment.key
        assignment = _decide(experiment, visitor, request, caller, seen.get(key))
        decided.append((experiment, assignment))
        if assignment.in_experiment and key not in seen:
            fresh[key] = assignment.variant
    held: Mapping[ExperimentKey, ExposureOutcome] = {}
    if fresh and is_recorded:
        wanted = _exposures(visitor, fresh, request, caller, now)
        held = store.expose(visitor, wanted, received_at=now)
    elif fresh:
        held = {
            key: ExposureOutcome(variant=variant, is_first=True)
            for key, variant in fresh.items()
        }
    if is_outsider and is_recorded:
        tally_shown(store, ((e.key, a.reason) for e, a in decided), now)
    return AssignResult(
        visitor=visitor,
        visitor_created=request.visitor is None,
        shown=tuple([_shown(catalogue, e, a, held.get(e.key)) for e, a in decided]),
        errors=tuple(errors),
    )


def _asked_for(
    catalogue: Catalogue, request: AssignRequest
) -> tuple[Sequence[Experiment], list[FieldError]]:
    """Find the experiments, and what of the request cannot be answered."""
    errors: list[FieldError] = []
    if request.experiments is None and not request.force:
        return catalogue.visible, errors
    if request.experiments is None:
        found = {e.key: e for e in catalogue.visible}
    else:
        found = {}
        for index, key in enumerate(request.experiments):
            if experiment := catalogue.by_key.get(key):
                found[experiment.key] = experiment
            else:
                errors.append(_unknown(f"/experiments/{index}", key, catalogue))
    for key, variant in request.force.items():
        experiment = catalogue.by_key.get(key)
        if experiment is None:
            errors.append(_unknown(f"/force/{key[:64]}", key, catalogue))
        elif _find_variant(experiment, variant) is None:
            known = listed([v.key for v in experiment.variants])
            detail = f"variant {shown(variant)} is not in {key}; use one of {known}"
            errors.append(
                FieldError(
                    pointer=f"/force/{key}", code="unknown_variant", detail=detail
                )
            )
        elif request.experiments is None:
            found[experiment.key] = experiment
    return tuple(found.values()), errors


def _decide(
    experiment: Experiment,
    visitor: VisitorId,
    request: AssignRequest,
    caller: Caller,
    seen: VariantKey | None,
) -> Assignment:
    """Choose the variant; what outranks the draw comes first."""
    if request.force and (
        forced := _find_variant(experiment, request.force.get(experiment.key))
    ):
        return _outside(forced, AssignmentReason.FORCED)
    if experiment.decided_variant is not None:
        return choose_variant(experiment, visitor)
    if not request.consent:
        return _outside(experiment.control, AssignmentReason.NO_CONSENT)
    if caller.is_crawler:
        return _outside(experiment.control, AssignmentReason.BOT)
    return choose_variant(experiment, visitor, seen)


def _exposures(
    visitor: VisitorId,
    fresh: Mapping[ExperimentKey, VariantKey],
    request: AssignRequest,
    caller: Caller,
    now: datetime,
) -> list[Exposure]:
    attributes = attributes_json("/attributes", request.attributes)
    return [
        Exposure(
            id=new_id(now),
            at=to_milliseconds(now),
            visitor=visitor,
            experiment=key,
            variant=variant,
            attributes_json=attributes,
            trusted=caller.is_trusted,
        )
        for key, variant in fresh.items()
    ]


def _shown(
    catalogue: Catalogue,
    experiment: Experiment,
    assignment: Assignment,
    held: ExposureOutcome | None,
) -> Shown:
    """Say what is shown; the exposure that holds outranks the draw."""
    variant = assignment.variant if held is None else held.variant
    is_first = held is not None and held.is_first
    made = (experiment.key, variant, assignment.reason, is_first)
    shown = catalogue.shown.get(made)
    if shown is None:
        shown = catalogue.shown[made] = Shown(
            experiment=experiment.key,
            variant=_find_variant(experiment, variant) or experiment.control,
            in_experiment=assignment.in_experiment,
            reason=assignment.reason,
            first_exposure=is_first,
        )
    return shown


def _find_variant(experiment: Experiment, key: str | None) -> Variant | None:
    return next((v for v in experiment.variants if v.key == key), None)


def _outside(variant: Variant, reason: AssignmentReason) -> Assignment:
    return Assignment(variant=variant.key, in_experiment=False, reason=reason)


def _unknown(pointer: str, key: str, catalogue: Catalogue) -> FieldError:
    known = listed([e.key for e in catalogue.visible])
    return FieldError(
        pointer=pointer,
        code="unknown_experiment",
        detail=f"experiment {shown(key)} is not known; known are {known}",
    )
