"""What the things of a report are called, for a reader."""

from collections.abc import Iterable, Mapping

from abtest.domain.experiment import Method, Status, VariantKey
from abtest.domain.funnel import LaterStep, Repeat, StepKey, StepKind
from abtest.services.comparison_report import Comparison
from abtest.services.report import ExperimentReport
from abtest.services.variant_report import VariantReport
from abtest.stats.results import NotEstimable, Reason
from abtest.web.render.reader import Reader, reader_of
from abtest.web.render.translate import mark

STATUSES: Mapping[Status, str] = {
    Status.DRAFT: mark("draft"),
    Status.RUNNING: mark("running"),
    Status.PAUSED: mark("paused"),
    Status.CLOSED: mark("closed to new visitors"),
    Status.STOPPED: mark("stopped"),
    Status.DECIDED: mark("decided"),
    Status.ARCHIVED: mark("archived"),
}

KINDS: Mapping[StepKind, str] = {
    StepKind.VISIT: mark("visit"),
    StepKind.LEAD: mark("lead"),
    StepKind.QUALIFIED: mark("qualified lead"),
    StepKind.ACTIVATOR: mark("first small purchase"),
    StepKind.MAIN: mark("main product"),
    StepKind.UPSELL: mark("further offer"),
    StepKind.REACTIVATION: mark("reactivation"),
    StepKind.CUSTOM: mark("own step"),
}

METHODS: Mapping[Method, str] = {
    Method.SEQUENTIAL: mark(
        "Sequential: you may look every day; the ranges allow for it and a decision may"
        " fall before the planned end."
    ),
    Method.FIXED: mark(
        "Fixed end: one look at the planned end decides; until then nothing does."
    ),
    Method.BAYESIAN: mark(
        "Bayesian: the probabilities are read at the planned end; they never stop the"
        " experiment early."
    ),
}

REASONS: Mapping[Reason, str] = {
    Reason.NO_VISITORS: mark("No visitor yet."),
    Reason.TOO_FEW_VISITORS: mark("There are too few visitors for this number."),
    Reason.NOT_MATURE: mark("Nobody has been followed for the whole window yet."),
    Reason.NO_VARIANCE: mark(
        "All visitors did the same, so chance cannot be told from a difference."
    ),
    Reason.NO_CONVERSIONS: mark("There is no conversion yet."),
    Reason.TOO_FEW_CONVERSIONS: mark("There are too few conversions for this number."),
    Reason.NOT_POSITIVE: mark(
        "The control's value is not above zero, so a relative change means nothing."
    ),
    Reason.NOT_BOUNDED: mark("The data do not bound this number."),
    Reason.NO_REVENUE: mark("No revenue is recorded in this experiment."),
    Reason.NO_COVARIATE: mark("Nothing is known of the visitors before the test."),
    Reason.NO_PLAN: mark("The plan holds no size, so this cannot be said."),
    Reason.NO_CONTROL_DAYS: mark("On no day were all variants shown together."),
    Reason.NOT_APPLICABLE: mark("Does not apply to this experiment."),
}


def reason_sentence(gap: NotEstimable, language: str) -> str:
    """Say why a number is not given."""
    return reader_of(language).gettext(REASONS[gap.reason])


def quoted(reader: Reader, name: str) -> str:
    """Write a name that people chose so that it does not melt into the sentence.

    A capitalised single word, such as A or Original, stands as it is.
    """
    return name if _stands_alone(name) else reader.gettext("“{name}”", name=name)


def quoted_alike(reader: Reader, names: Iterable[str]) -> tuple[str, ...]:
    """Write names so that they do not melt into a sentence, all in the same manner."""
    told = tuple(names)
    if all(_stands_alone(name) for name in told):
        return told
    return tuple(reader.gettext("“{name}”", name=name) for name in told)


def _stands_alone(name: str) -> bool:
    return name[:1].isupper() and name.isalnum()


def variant_of(report: ExperimentReport, key: VariantKey) -> VariantReport:
    """Return the variant with this key."""
    return next(v for v in report.variants if v.key == key)


def variant_name(reader: Reader, report: ExperimentReport, key: VariantKey) -> str:
    """Call a variant by its name, for a sentence; all variants in the same manner."""
    name = plain_name(report, key)
    if all(_stands_alone(plain_name(report, v.key)) for v in report.variants):
        return name
    return reader.gettext("“{name}”", name=name)


def plain_name(report: ExperimentReport, key: VariantKey) -> str:
    """Call a variant by its name, or its key when it has none."""
    return variant_of(report, key).name or str(key)


def control_name(reader: Reader, report: ExperimentReport) -> str:
    """Call the control by its name, for a sentence."""
    return variant_name(reader, report, report.variants[0].key)


def step_name(report: ExperimentReport, key: StepKey) -> str:
    """Call a funnel step by its name, or its key when it has none."""
    names = (s.name for s in report.variants[0].steps if s.key == key)
    return next(names, "") or str(key)


def second_name(reader: Reader, report: ExperimentReport) -> str:
    """Say what the second conversion is."""
    match report.second:
        case Repeat(step=step, ordinal=2):
            name = quoted(reader, step_name(report, step))
            return reader.gettext("{step} for the second time", step=name)
        case Repeat(step=step, ordinal=ordinal):
            name = quoted(reader, step_name(report, step))
            number = reader.format.integer(ordinal)
            return reader.gettext("{step}, time no. {n}", step=name, n=number)
        case LaterStep(step=step):
            return quoted(reader, step_name(report, step))


def leading_comparison(report: ExperimentReport) -> Comparison | None:
    """Return the comparison that the verdict speaks of.

    That of the verdict's variant, else of the treatment with the highest estimated
    value; None when there is nothing to compare.
    """

    def rank(comparison: Comparison) -> tuple[bool, float]:
        value = variant_of(report, comparison.variant).value
        mean = float("-inf") if isinstance(value, NotEstimable) else value.mean
        return comparison.variant == report.verdict.variant, mean

    return max(report.comparisons, key=rank, default=None)
