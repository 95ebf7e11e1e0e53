"""RAG regression tests for pytest: scores, thresholds, gates.

The public names are loaded when first used, so that `import pytest_ragas` costs a suite nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_ragas.errors import PytestRagasError as PytestRagasError
    from pytest_ragas.evalscope import TaskScores as TaskScores
    from pytest_ragas.evalscope import run_task as run_task
    from pytest_ragas.models.scripted import ScriptedCritic as ScriptedCritic
    from pytest_ragas.models.scripted import ScriptedEmbeddings as ScriptedEmbeddings
    from pytest_ragas.plugin.assertions import aassert_scores as aassert_scores
    from pytest_ragas.plugin.assertions import assert_answer_correctness as assert_answer_correctness
    from pytest_ragas.plugin.assertions import assert_answer_relevancy as assert_answer_relevancy
    from pytest_ragas.plugin.assertions import assert_context_precision as assert_context_precision
    from pytest_ragas.plugin.assertions import assert_context_recall as assert_context_recall
    from pytest_ragas.plugin.assertions import assert_context_relevancy as assert_context_relevancy
    from pytest_ragas.plugin.assertions import assert_faithfulness as assert_faithfulness
    from pytest_ragas.plugin.assertions import assert_scores as assert_scores
    from pytest_ragas.plugin.evaluator import RagasEvaluator as RagasEvaluator
    from pytest_ragas.plugin.handle import SampleHandle as SampleHandle
    from pytest_ragas.plugin.verdicts.outcomes import ScoringError as ScoringError
    from pytest_ragas.plugin.verdicts.outcomes import ThresholdFailure as ThresholdFailure
    from pytest_ragas.protocols import LLM as LLM
    from pytest_ragas.protocols import Embeddings as Embeddings
    from pytest_ragas.protocols import Metric as Metric
    from pytest_ragas.protocols import MetricContext as MetricContext
    from pytest_ragas.protocols import MetricSpec as MetricSpec
    from pytest_ragas.protocols import QuestionDraft as QuestionDraft
    from pytest_ragas.protocols import QuestionTask as QuestionTask
    from pytest_ragas.protocols import QuestionType as QuestionType
    from pytest_ragas.testset.load import load_testset as load_testset
    from pytest_ragas.values.model import Answer as Answer
    from pytest_ragas.values.model import Message as Message
    from pytest_ragas.values.model import ModelIdentity as ModelIdentity
    from pytest_ragas.values.model import Usage as Usage
    from pytest_ragas.values.sample import Sample as Sample
    from pytest_ragas.values.score import Finding as Finding
    from pytest_ragas.values.score import Score as Score
    from pytest_ragas.values.score import ScoreFailure as ScoreFailure
    from pytest_ragas.values.testset import Testset as Testset

_HOME = {
    "PytestRagasError": "errors",
    "TaskScores": "evalscope",
    "run_task": "evalscope",
    "ScriptedCritic": "models.scripted",
    "ScriptedEmbeddings": "models.scripted",
    "aassert_scores": "plugin.assertions",
    "assert_answer_correctness": "plugin.assertions",
    "assert_answer_relevancy": "plugin.assertions",
    "assert_context_precision": "plugin.assertions",
    "assert_context_recall": "plugin.assertions",
    "assert_context_relevancy": "plugin.assertions",
    "assert_faithfulness": "plugin.assertions",
    "assert_scores": "plugin.assertions",
    "RagasEvaluator": "plugin.evaluator",
    "SampleHandle": "plugin.handle",
    "ScoringError": "plugin.verdicts.outcomes",
    "ThresholdFailure": "plugin.verdicts.outcomes",
    "LLM": "protocols",
    "Embeddings": "protocols",
    "Metric": "protocols",
    "MetricContext": "protocols",
    "MetricSpec": "protocols",
    "QuestionDraft": "protocols",
    "QuestionTask": "protocols",
    "QuestionType": "protocols",
    "load_testset": "testset.load",
    "Answer": "values.model",
    "Message": "values.model",
    "ModelIdentity": "values.model",
    "Usage": "values.model",
    "Sample": "values.sample",
    "Finding": "values.score",
    "Score": "values.score",
    "ScoreFailure": "values.score",
    "Testset": "values.testset",
}

__all__ = sorted([*_HOME, "__version__"])


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("pytest-ragas")
    if name in _HOME:
        return getattr(importlib.import_module(f"pytest_ragas.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
