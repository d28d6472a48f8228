"""GET /api/v1/experiments/{key}/files/{name}: the report as a file."""

from abtest.domain.experiment import ExperimentKey
from abtest.errors import AbtestError, ErrorCode
from abtest.services.checks import shown
from abtest.services.reporting import Question
from abtest.web.api.report import PARAMETERS as _REPORT
from abtest.web.api.report import read_day, read_language
from abtest.web.api.serving import Asked
from abtest.web.context import current_context
from abtest.web.exchange import Reply

PARAMETERS = tuple(p for p in _REPORT if p.name in {"as_of", "lang"})


def get_file(asked: Asked) -> Reply:
    """Answer with a report as a file."""
    # The pages know the routes of the API, and are loaded after them.
    from abtest.web.pages.files import FileForm, form_of, make_file  # noqa: PLC0415

    name = asked.call.args["name"]
    form = form_of(name)
    if form is None:
        known = ", ".join(f"report.{one}" for one in FileForm)
        raise AbtestError(
            ErrorCode.NOT_FOUND, f"there is no file {shown(name)}; there are {known}"
        )
    question = Question(
        experiment=ExperimentKey(asked.call.args["key"]), as_of=read_day(asked)
    )
    made = make_file(form, current_context(), question, tag=read_language(asked))
    disposition = f'attachment; filename="{made.name}"'
    return Reply(
        body=made.content,
        content_type=made.content_type,
        headers=(("Content-Disposition", disposition),),
    )
