"""What is counted about the data that come in, beside the data themselves."""

from dataclasses import dataclass
from enum import StrEnum

from abtest.domain.experiment import ExperimentKey


class QualityKind(StrEnum):
    """What is counted."""

    RECEIVED = "received"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"
    LATE = "late"
    CLOCK_SKEWED = "clock_skewed"
    UNASSIGNED = "unassigned"
    CRAWLER = "crawler"
    NO_CONSENT = "no_consent"


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityMark:
    """One counter.

    Attributes:
        experiment: whose; None for the installation, which counts everything once.
        code: why, for what was rejected.
    """

    kind: QualityKind
    experiment: ExperimentKey | None = None
    code: str = ""
