"""POST /api/v1/plan: how many visitors, how many days, and when to decide."""

from datetime import datetime
from functools import partial

import msgspec

from abtest.services.calculating import calculate
from abtest.services.plan_rules import PlanQuestion
from abtest.store.protocol import Store
from abtest.web.api.decoding import decode
from abtest.web.api.plan_shapes import PlanBody, PlanView, plan_view
from abtest.web.api.report import read_language
from abtest.web.api.serving import Asked, Parameter
from abtest.web.exchange import Reply, json_reply

PARAMETERS = (Parameter(name="lang", help="language of the summary: de or en"),)

_DECODER = msgspec.json.Decoder(PlanBody)


def post_plan(asked: Asked) -> Reply:
    """Answer with a plan; nothing is stored."""
    question = read_question(asked.call.body)
    language = read_language(asked)
    task = partial(_plan, question=question, now=asked.now, language=language)
    return json_reply(calculate(asked.calculator, task))


def _plan(
    store: Store, question: PlanQuestion, *, now: datetime, language: str
) -> PlanView:
    # scipy takes seconds to load and 100 MB: only who calculates loads it.
    from abtest.services.planning import plan_experiment  # noqa: PLC0415

    return plan_view(plan_experiment(store, question, now=now), language)


def read_question(body: bytes) -> PlanQuestion:
    """Read a question.

    Raises:
        AbtestError: `invalid` when the body is not of the right shape; whether its
            values make sense is for the service to say.
    """
    return msgspec.convert(msgspec.to_builtins(decode(body, _DECODER)), PlanQuestion)
