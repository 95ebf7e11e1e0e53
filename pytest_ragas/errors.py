"""Every exception of pytest-ragas.

```text
PytestRagasError
├── ConfigurationError            settings, options, marker arguments
│   ├── UnknownNameError          a key, metric or option that does not exist; knows its neighbours
│   └── MissingExtraError         a library of an extra is not installed; names the pip command
├── TestsetError                  a testset file; lists every bad row
├── DocumentsError                documents that a testset is written from; lists every bad one
├── GenerationError               a testset could not be generated whole; says how much of it, and why
├── JudgementStoreError           stored judgements cannot be read; nothing of them is changed
├── BaselineError                 a run file or baseline cannot be read, written, found, merged or compared
├── GateSyntaxError               a gate expression that cannot be read
├── BudgetError                   a call that the budget of the run, or its time, has no room for: it was not made
├── MetricError                   this sample cannot be scored by this metric
│   ├── MissingFieldError         the sample lacks a field that the metric needs
│   ├── NothingToJudgeError       the fields are there, but hold nothing (an empty response)
│   └── InvalidScoreError         a value that is not finite or not in [0, 1]
└── ModelError                    a critic LLM or embedding model did not answer
    ├── TransientModelError       worth another try (408, 409, 425, 429, 5xx, dropped connection, time-out)
    ├── RejectedRequestError      not worth another try (400, 401, 403, 404)
    ├── MissingJudgementError     `--ragas-cache=replay` makes no call, and nothing is stored for this one
    └── StructureError            it answered, but not in the structure that was asked for
```

A threshold that a score does not hold is no error of ours: it is the test's own failure,
`pytest_ragas.plugin.verdicts.outcomes.ThresholdFailure`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

__all__ = [
    "BaselineError",
    "BudgetError",
    "ConfigurationError",
    "DocumentsError",
    "GateSyntaxError",
    "InvalidScoreError",
    "JudgementStoreError",
    "MetricError",
    "MissingExtraError",
    "MissingFieldError",
    "MissingJudgementError",
    "ModelError",
    "NothingToJudgeError",
    "PytestRagasError",
    "PytestRagasWarning",
    "RejectedRequestError",
    "StructureError",
    "TestsetError",
    "TransientModelError",
    "UnknownNameError",
    "cut",
]


class PytestRagasError(Exception):
    """Root of every exception that pytest-ragas raises on purpose."""


class PytestRagasWarning(UserWarning):
    """Something that a run goes on without."""


class ConfigurationError(PytestRagasError):
    """Settings, an option or marker arguments cannot be used as they stand."""


class UnknownNameError(ConfigurationError):
    """A name that does not exist; the message lists its neighbours."""

    def __init__(self, what: str, name: str, known: Iterable[str], *, where: str = "", prefix: str = "") -> None:
        """
        Args:
            what: What the name should have been, e.g. "metric" or "key of [tool.pytest-ragas]".
            name: The name as the user wrote it.
            known: Every name that exists.
            where: Where the user wrote it (file, option, marker of a test); may be empty.
            prefix: What stands before the name in its dotted path: "critic_llm." before "api_base".
        """
        import difflib  # every pytest start reads this module, few ever meet the error

        names = sorted(known)
        lower = {known_name.lower(): known_name for known_name in names}
        close = difflib.get_close_matches(name.lower(), list(lower), n=1, cutoff=0.6)
        hint = f"Did you mean {prefix + lower[close[0]]!r}?" if close else f"Known: {', '.join(names) or 'none'}."
        place = f" in {where}" if where else ""
        super().__init__(f"Unknown {what} {prefix + name!r}{place}. {hint}")
        self.name = name


class MissingExtraError(ConfigurationError):
    """A library that an optional extra brings is not installed."""

    def __init__(self, what: str, library: str, extra: str) -> None:
        super().__init__(
            f"{what} needs {library}, which is not installed. Install it with: pip install 'pytest-ragas[{extra}]'"
        )


class TestsetError(PytestRagasError):
    """A testset cannot be loaded; the message lists every bad row, not only the first."""

    __test__ = False  # pytest collects classes named Test*


class DocumentsError(PytestRagasError):
    """Documents cannot be read; the message lists every bad one, not only the first."""


class JudgementStoreError(PytestRagasError):
    """Stored judgements cannot be read: a damaged file, one of a newer format, a server that is down."""


class BaselineError(PytestRagasError):
    """A run file or baseline cannot be read, written, found, merged or compared; nothing of it is changed."""


class GenerationError(PytestRagasError):
    """A testset could not be generated whole; nothing was written. What models answered is stored."""


class GateSyntaxError(ConfigurationError):
    """A gate expression cannot be read."""


class BudgetError(PytestRagasError):
    """The budget of the run, or its time, has no room for a call: it was not made."""


class MetricError(PytestRagasError):
    """A metric cannot score this sample."""


class MissingFieldError(MetricError):
    """The sample lacks a field that the metric needs."""


class NothingToJudgeError(MetricError):
    """The fields are there, but there is nothing in them to judge."""


class InvalidScoreError(MetricError):
    """A metric computed a value that is no score: not finite, or outside [0, 1]."""


class ModelError(PytestRagasError):
    """A critic LLM, generator LLM or embedding model did not answer."""

    role: str = ""
    """Which of them: "critic LLM", "generator LLM" or "embeddings"; whoever calls the model for a metric sets it."""
    usage: object = None
    """What the request cost (`values.model.Usage`), where the client knows: a wrong answer is paid for too."""


class TransientModelError(ModelError):
    """The model did not answer, but may if asked again."""

    sent: bool = True
    """Whether the request may have reached the model, which then may have worked for it; a client says where not."""

    def __init__(self, message: str, *, status: int | None = None, retry_after: float | None = None) -> None:
        """
        Args:
            message: What happened, with the mend where one is known.
            status: The HTTP status, if there was an answer at all.
            retry_after: Seconds that the server asked to wait.
        """
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


class RejectedRequestError(ModelError):
    """The model's server refused the request; asking again would not help."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class MissingJudgementError(ModelError):
    """Nothing is stored for a request, and `--ragas-cache=replay` makes no call."""

    def __init__(
        self, message: str, *, missing: str = "", kind: str = "", request: Mapping[str, Any] | None = None
    ) -> None:
        """
        Args:
            message: What is missing, where it was looked for, and the mend.
            missing: The first two of these.
            kind: "answer" of an LLM or "vector" of embeddings.
            request: What was asked, texts as digests: what changed is found by it.
        """
        super().__init__(message)
        self.missing = missing
        self.kind = kind
        self.request = request or {}


class StructureError(ModelError):
    """The model answered, but not in the structure that was asked for."""

    def __init__(self, message: str, *, raw: str = "", truncated: bool = False, final: bool = False) -> None:
        """
        Args:
            message: What is wrong with the structure.
            raw: The model's text as it came.
            truncated: Whether the model was stopped before it was done.
            final: Whether asking the same model again would lead nowhere.
        """
        super().__init__(message)
        self.raw = raw
        self.truncated = truncated
        self.final = final


def cut(text: str, limit: int = 300) -> str:
    """Shorten a text that others wrote, so that no report drowns in it.

    Args:
        text: Any text; line breaks become spaces.
        limit: Characters to keep, including the ellipsis.
    """
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def listed(lines: Sequence[str], limit: int = 20) -> str:
    """Join lines for an error message and count those that are left out."""
    shown = "\n".join(lines[:limit])
    rest = len(lines) - limit
    return shown if rest <= 0 else f"{shown}\n… and {rest} more"
