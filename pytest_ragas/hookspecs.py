"""How others add to pytest-ragas: the hooks a conftest.py or an installed plugin implements.

Our own register through the same hooks (`metrics/builtin.py`, `testset/generate/builtin.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:  # every pytest start reads this file, also where no metric is ever asked for
    from pytest_ragas.protocols import MetricSpec, QuestionType

# "pytest": these hooks live in pytest's own plugin manager, so that conftest.py files can implement them
hookspec = pluggy.HookspecMarker("pytest")
hookimpl = pluggy.HookimplMarker("pytest")


# historic: the conftest.py of a folder is loaded when the folder is collected, maybe after the first metric was asked
# for
@hookspec(historic=True)
def pytest_ragas_register_metrics(register: Callable[[MetricSpec], None]) -> None:
    """Add metrics. Called once in every process, before the first score; with `call_historic`.

    A whole example, for a conftest.py:

    ```python
    from pytest_ragas import MetricSpec, Score

    class Brevity:
        name = "brevity"

        async def score(self, sample):
            words = len(sample.response.split())
            return Score(metric=self.name, value=1.0 if words <= 50 else 50 / words, reason=f"{words} words")

    def pytest_ragas_register_metrics(register):
        register(MetricSpec(
            name="brevity", backend="free", needs=frozenset({"response"}), uses=frozenset(),
            factory=lambda context: Brevity(), version="1", summary="1 up to 50 words, less beyond",
        ))
    ```

    Args:
        register: Takes one `MetricSpec`; a second one of the same name and backend is an error.
    """


@hookspec(historic=True)
def pytest_ragas_register_question_types(register: Callable[[QuestionType], None]) -> None:
    """Add kinds of questions that a testset may be generated with. Called once in a process, before the first
    testset is generated; with `call_historic`.

    A whole example, for a conftest.py:

    ```python
    from pytest_ragas import Message, QuestionDraft, QuestionType

    PAIR = {
        "title": "Pair", "type": "object", "required": ["question", "answer"], "additionalProperties": False,
        "properties": {"question": {"type": "string"}, "answer": {"type": "string"}},
    }

    async def yes_or_no(task):
        text = f"A yes-or-no question that this passage answers, and its answer: {task.chunks[0].text}"
        answer = await task.llm.ask([Message(role="user", content=text)], PAIR)
        return QuestionDraft(question=answer.value["question"], answer=answer.value["answer"])

    def pytest_ragas_register_question_types(register):
        register(QuestionType(
            name="yes_or_no", write=yes_or_no, version="1", summary="answered by yes or no",
            requirement="The question can be answered by yes or no.",
        ))

    # then, in a marker: distribution={"simple": 0.5, "yes_or_no": 0.5}
    ```

    Args:
        register: Takes one `QuestionType`; a second one of the same name is an error.
    """
