"""POST /api/v1/plan: how many visitors, how many days, and when to decide."""

from typing import TYPE_CHECKING

import msgspec

from abtest.web.api.decoding import decode
from abtest.web.api.plan_shapes import PlanBody, plan_view
from abtest.web.api.report import read_language
from abtest.web.api.serving import Asked, Parameter
from abtest.web.exchange import Reply, json_reply

if TYPE_CHECKING:
    from abtest.services.plan_rules import PlanQuestion

PARAMETERS = (Parameter(name="lang", help="language of the summary: de or en"),)

_DECODER = msgspec.json.Decoder(PlanBody)


def post_plan(asked: Asked) -> Reply:
    """Answer with a plan; nothing is stored."""
    # scipy takes seconds to load; a process that never plans never loads it.
    from abtest.services.planning import plan_experiment  # noqa: PLC0415

    question = read_question(asked.call.body)
    plan = plan_experiment(asked.store, question, now=asked.now)
    return json_reply(plan_view(plan, read_language(asked)))


def read_question(body: bytes) -> "PlanQuestion":
    """Read a question.

    Raises:
        AbtestError: `invalid` when the body is not of the right shape; whether its
            values make sense is for the service to say.
    """
    from abtest.services.plan_rules import PlanQuestion  # noqa: PLC0415

    return msgspec.convert(msgspec.to_builtins(decode(body, _DECODER)), PlanQuestion)
