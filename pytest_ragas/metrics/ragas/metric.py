"""`RagasMetric`: a class of `ragas.metrics.collections` as a metric of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_ragas.errors import (
    ConfigurationError,
    InvalidScoreError,
    MetricError,
    PytestRagasError,
    UnknownNameError,
    cut,
)
from pytest_ragas.metrics.ragas.conversation import Conversation, TextWanted
from pytest_ragas.metrics.ragas.door import library, parameters_of
from pytest_ragas.metrics.ragas.evidence import findings, summary
from pytest_ragas.metrics.ragas.inputs import (
    MESSAGES,
    TOOL_CALLS,
    ascore_arguments,
    refuse_images,
    role_of,
    tool_calls,
)
from pytest_ragas.metrics.ragas.specs import uses_embeddings
from pytest_ragas.metrics.requirements import require_embeddings, require_llm
from pytest_ragas.protocols import LLM, Embeddings, MetricContext
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Score

__all__ = ["RagasMetric"]

_AT_LEAST_ONE = ("max_retries", "strictness")
"""Options of which ragas takes 0 and then scores 0 or NaN without asking anything."""
_COSINES = ("AnswerRelevancy", "SemanticSimilarity")
"""Classes whose value is a cosine. Embeddings of unrelated texts may well give a negative one."""
_ROUNDS = 20
"""How often one scoring may begin anew for a text that it embeds synchronously."""


class RagasMetric:
    """A class of `ragas.metrics.collections`, asked through our LLM and embeddings.

    One instance of ragas' class scores one sample: what it asks and the errors that it swallows are kept
    apart from those of the samples beside it.
    """

    def __init__(
        self,
        context: MetricContext,
        class_name: str,
        *,
        needs: frozenset[str] = frozenset(),
        higher_is_better: bool = True,
    ) -> None:
        """
        Args:
            context: Models, options and name.
            class_name: The class in `ragas.metrics.collections`.
            needs: Fields that must be there even where ragas would do without.
            higher_is_better: Whether a high value is a good one.

        Raises:
            MissingExtraError: ragas is not installed.
            ConfigurationError: A model is missing, or an option cannot be used.
        """
        self.name = context.name or f"ragas:{class_name}"
        self._higher_is_better = higher_is_better
        self._library = library(self.name)
        self._class: Any = getattr(self._library.collections, class_name)
        self._takes = parameters_of(self._class)
        self._arguments = {key: must or key in needs for key, must in self._takes.arguments.items()}
        self._options = _checked_options(context.options, self._takes.options, name=self.name)
        self._llm: LLM | None = require_llm(context) if "llm" in self._takes.models else None
        self._embeddings: Embeddings | None = None
        if "embeddings" in self._takes.models and uses_embeddings(self._options):
            self._embeddings = require_embeddings(context)
        try:
            first = self._instance(Conversation(llm=self._llm, embeddings=self._embeddings, inputs={}))
        except ImportError as error:
            raise ConfigurationError(f"{self.name} cannot be built: {error}") from error
        except (TypeError, ValueError) as error:
            raise ConfigurationError(f"ragas refuses the options of metric {self.name!r}: {error}") from error
        lowest, highest = first.allowed_values
        self._range = (float(lowest), float(highest))

    async def score(self, sample: Sample) -> Score:
        """Let ragas' class score the sample.

        Raises:
            MissingFieldError: The sample lacks an argument of `ascore`.
            NothingToJudgeError: An argument is empty, or the critic LLM found nothing in it.
            InvalidScoreError: Ragas computed NaN or a value outside its own range.
            ModelError: The critic LLM or the embeddings did not answer, whatever ragas made of that.
            MetricError: Ragas raised something else.
        """
        inputs = self._inputs(sample)
        talk = Conversation(llm=self._llm, embeddings=self._embeddings, inputs=inputs)
        result = await self._run(talk, inputs)
        if talk.error is not None:  # swallowed on the way: the value was computed from what was left
            raise talk.error
        value = self._value(result.value)
        evidence = findings(talk, inputs)
        said = str(result.reason or "")
        reason = cut(said, 500) if said else summary(evidence)
        if value < 0:
            reason = f"the cosine is {value:.2f}, and below 0 it counts as 0" + (f"; {reason}" if reason else "")
        return Score(
            metric=self.name,
            value=max(0.0, value),
            reason=reason,
            evidence=evidence,
            higher_is_better=self._higher_is_better,
        )

    async def _run(self, talk: Conversation, inputs: Mapping[str, Any]) -> Any:
        for _ in range(_ROUNDS):
            try:
                return await self._instance(talk).ascore(**inputs)
            except TextWanted as wanted:
                # Ragas calls a synchronous embed_text() inside the event loop. Waiting there would block every
                # other score, or deadlock; so the run ends, the text is embedded properly, and a new run finds
                # it in memory, with the critic LLM's answers replayed. One or two rounds; no thread.
                await talk.start_over(wanted)
            except PytestRagasError:
                raise
            except ImportError as error:
                raise ConfigurationError(f"{self.name} cannot score: {error}") from error
            except Exception as error:
                if talk.error is error:
                    raise
                if talk.error is not None:
                    raise talk.error from error
                raise MetricError(
                    f"ragas' {self._class.__name__} raised {type(error).__name__}: {cut(str(error))}"
                ) from error
        raise MetricError(f"ragas' {self._class.__name__} asks for the vectors of ever new texts.")

    def _instance(self, talk: Conversation) -> Any:
        models = {"llm": self._library.llm, "embeddings": self._library.embeddings}
        return self._class(**{name: models[name](talk) for name in self._given_models()}, **self._options)

    def _given_models(self) -> list[str]:
        without = {"embeddings"} if self._embeddings is None else set()
        return sorted(self._takes.models - without)

    def _inputs(self, sample: Sample) -> dict[str, Any]:
        inputs = ascore_arguments(sample, self._arguments, name=self.name)
        if self._class.__name__.startswith("MultiModal"):
            refuse_images(inputs["retrieved_contexts"], name=self.name)
        messages = self._library.messages
        if MESSAGES in inputs:
            classes = {"human": messages.HumanMessage, "ai": messages.AIMessage, "tool": messages.ToolMessage}
            conversation = []
            for message in inputs.pop(MESSAGES):
                role = role_of(message, sample=sample)
                calls = tool_calls(message.get("tool_calls"), sample=sample) if role == "ai" else []
                extra = {"tool_calls": [messages.ToolCall(**call) for call in calls]} if calls else {}
                conversation.append(classes[role](content=str(message.get("content") or ""), **extra))
            inputs["user_input"] = conversation
        if TOOL_CALLS in inputs:
            inputs[TOOL_CALLS] = [messages.ToolCall(**call) for call in tool_calls(inputs[TOOL_CALLS], sample=sample)]
        return inputs

    def _value(self, value: Any) -> float:
        """Ragas' value on our scale: a rubric's 1 to 5 becomes 0 to 1, everything else stays.

        Raises:
            InvalidScoreError: It is no number, or one that the class must not give.
        """
        lowest, highest = self._range
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise InvalidScoreError(f"{self.name} gave {value!r}, which is no number") from None
        if self._class.__name__ in _COSINES and -1 - 1e-6 <= number < 0:
            return number
        if not lowest - 1e-6 <= number <= highest + 1e-6:  # false for NaN too
            raise InvalidScoreError(
                f"{self.name} gave {number!r}, which is no score: ragas' {self._class.__name__} must give "
                f"{lowest:g} to {highest:g}"
            )
        return (number - lowest) / (highest - lowest)


def _checked_options(given: Mapping[str, Any], known: Mapping[str, Any], *, name: str) -> dict[str, Any]:
    """The options as the class's type hints want them: "levenshtein" becomes ragas' enumeration.

    Raises:
        UnknownNameError: The class has no such argument.
        ConfigurationError: The value is not what the argument takes.
    """
    from pydantic import TypeAdapter, ValidationError  # ragas brings it

    checked = {}
    for option, value in given.items():
        if option not in known:
            raise UnknownNameError(f"option of metric {name!r}", option, known)
        hint = known[option]
        try:
            # a hint that is a text names a class that ragas imports for type checkers only
            checked[option] = value if isinstance(hint, str) else TypeAdapter(hint).validate_python(value)
        except ValidationError as error:
            detail = error.errors(include_url=False)[0]["msg"]
            raise ConfigurationError(f"Option {option!r} of metric {name!r} is {value!r}: {detail}") from error
        if option in _AT_LEAST_ONE and checked[option] < 1:
            raise ConfigurationError(f"Option {option!r} of metric {name!r} is {value!r}; it must be at least 1.")
    return checked
