"""Which colour and icon go with a verdict, a status, a state of health."""

from collections.abc import Mapping

from abtest.services.report import HealthStatus, VerdictCode

VERDICT_TONES: Mapping[VerdictCode, str] = {
    VerdictCode.NO_DATA: "quiet",
    VerdictCode.UNHEALTHY: "bad",
    VerdictCode.TOO_EARLY: "wait",
    VerdictCode.WINNER: "good",
    VerdictCode.TRADEOFF: "choice",
    VerdictCode.KEEP_CONTROL: "keep",
    VerdictCode.RUNNING: "wait",
    VerdictCode.GUARDRAIL_OPEN: "choice",
    VerdictCode.EQUIVALENT: "quiet",
    VerdictCode.INCONCLUSIVE: "quiet",
    VerdictCode.STOPPED_EARLY: "quiet",
}

HEALTH_TONES: Mapping[HealthStatus, str] = {
    HealthStatus.OK: "good",
    HealthStatus.WARNING: "choice",
    HealthStatus.BLOCKED: "bad",
}
