"""What the critic LLM must find of a candidate before it becomes a row; what it finds wrong has a name.

Calls: `check`; for a question over several chunks, `alone` for each of them, at the same time; then, if all is well,
our own faithfulness of the reference to the contexts (two calls, one after the other). Of a question that the
documents do not answer only `check`, over the passages that are nearest to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from pytest_ragas.errors import NothingToJudgeError
from pytest_ragas.protocols import LLM, Metric, QuestionDraft, QuestionType
from pytest_ragas.testset.generate.prompt import FLAG, TEXT, prompt, read_flag, structure
from pytest_ragas.testset.generate.row import asked
from pytest_ragas.values.sample import Sample

EMPTY = "question or reference empty"
MALFORMED = "not in the structure"
NOT_SELF_CONTAINED = "not self-contained"
UNANSWERED = "not answerable from its contexts"
ANSWERED = "answered by the documents"
ONE_IS_ENOUGH = "answerable from one context alone"
UNSUPPORTED = "reference not supported by its contexts"
OTHER_LANGUAGE = "not in the language"
NOT_OF_ITS_TYPE = "not of its type"
DUPLICATE = "duplicate"

_CHECK = structure("Check", reason=TEXT, self_contained=FLAG, answerable=FLAG, in_language=FLAG, meets_requirement=FLAG)
_ALONE = structure("Alone", reason=TEXT, answerable=FLAG)


async def judge(
    draft: QuestionDraft,
    kind: QuestionType,
    contexts: Sequence[str],
    *,
    critic: LLM,
    language: str,
    faithfulness: Metric,
    urgent: Callable[[int], object] = lambda calls: None,
) -> str:
    """Why a candidate is rejected; empty if it is not.

    Args:
        draft: What the generator LLM wrote.
        kind: What it shall be.
        contexts: Its chunks; of a question that shall have no answer, the passages nearest to it.
        critic: Who judges.
        language: Of question and reference; empty for that of the contexts.
        faithfulness: Our own metric, built with the critic.
        urgent: Told before calls how many are still to come, one after the other.

    Raises:
        StructureError: The critic's verdict is none.
        ModelError: It gave none.
    """
    question = asked(draft)
    data: dict[str, Any] = {
        "contexts": list(contexts),
        "language": language,
        "question": question,
        "answer": draft.answer,
        "requirement": kind.requirement,
    }
    alone = contexts if kind.answerable and len(contexts) > 1 else ()
    urgent(3 if kind.answerable else 1)
    # none is cancelled because of another: what is under way is paid for, and stored when it arrives
    answers = await asyncio.gather(
        prompt("check").ask(critic, data, _CHECK),
        *(prompt("alone").ask(critic, {"context": context, "question": question}, _ALONE) for context in alone),
        return_exceptions=True,
    )
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    check, *each = (answer for answer in answers if not isinstance(answer, BaseException))
    if not read_flag(check, "self_contained"):
        return NOT_SELF_CONTAINED
    if read_flag(check, "answerable") != kind.answerable:
        return UNANSWERED if kind.answerable else ANSWERED
    if not read_flag(check, "in_language"):
        return OTHER_LANGUAGE
    if not read_flag(check, "meets_requirement"):
        return NOT_OF_ITS_TYPE
    if any(read_flag(answer, "answerable") for answer in each):
        return ONE_IS_ENOUGH
    if not kind.answerable:
        return ""
    urgent(2)
    sample = Sample(user_input=question, response=draft.answer, retrieved_contexts=tuple(contexts))
    try:
        score = await faithfulness.score(sample)
    except NothingToJudgeError:
        return UNSUPPORTED
    return "" if score.value == 1 else UNSUPPORTED
