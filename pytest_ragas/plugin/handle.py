"""`ragas_sample`: the row as a test sees it, and where its answers are recorded."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_ragas.errors import cut
from pytest_ragas.values.sample import Sample, stable_id

if TYPE_CHECKING:
    from pytest_ragas.plugin.targets.answers import Answer

_TEXT = ("response", "user_input", "reference")
_LISTS = ("retrieved_contexts", "retrieved_context_ids", "reference_contexts", "reference_context_ids")
_OLD_NAMES = {
    "answer": "response",
    "contexts": "retrieved_contexts",
    "question": "user_input",
    "ground_truth": "reference",
}
_OF_THE_ROW = ("user_input", "reference", "reference_contexts", "reference_context_ids")


class SampleHandle:
    """One row of the testset, and the answers that the test records for it.

    ```python
    @pytest.mark.ragas(testset="testset.json", thresholds={"faithfulness": 0.8})
    def test_rag(ragas_sample, rag):
        answer = rag.ask(ragas_sample.user_input)
        ragas_sample.record(response=answer.text, retrieved_contexts=answer.chunks)
    ```

    Attributes:
        row: The row itself; an empty sample where the marker names no testset.
        recorded: What was recorded so far, as immutable samples.
        answer: The target's answer to the row, on its way; None in a test without target.
    """

    answer: Answer | None = None

    def __init__(self, row: Sample | None = None) -> None:
        """
        Args:
            row: The row of the testset; None where the marker names none.
        """
        self.from_testset = row is not None
        self.row = Sample() if row is None else row
        self.recorded: list[Sample] = []

    @property
    def sample(self) -> Sample:
        """The row with its answer, if it has one: the testset's, or the target's, which is waited for."""
        return self.row

    @property
    def user_input(self) -> str:
        """What the user asks."""
        return self.row.user_input

    @property
    def response(self) -> str | None:
        """The answer that the testset carries, or that the target gives; None where there is none."""
        return self.sample.response

    @property
    def retrieved_contexts(self) -> Sequence[str] | None:
        """The contexts that the testset carries, or that the target gives; None where there are none."""
        return self.sample.retrieved_contexts

    @property
    def reference(self) -> str | None:
        """The right answer."""
        return self.row.reference

    @property
    def reference_contexts(self) -> Sequence[str] | None:
        """The passages that hold the right answer."""
        return self.row.reference_contexts

    @property
    def id(self) -> str:
        """The row's stable id."""
        return self.row.id

    @property
    def tags(self) -> Sequence[str]:
        """The slices that the row belongs to."""
        return self.row.tags

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The row's other columns."""
        return self.row.metadata

    def __repr__(self) -> str:
        return f"<ragas_sample {self.id!r}: {cut(self.user_input, 60)!r}>"

    def record(self, answer: Any = None, /, **fields: Any) -> Sample:
        """Hand an answer over for scoring; several answers of one test are scored each.

        Args:
            answer: A string, a mapping, a `Sample`, or an object with `.response` (and `.retrieved_contexts`):
                what your RAG returned.
            fields: Or the fields by name: `response="..."`, `retrieved_contexts=["..."]`,
                `retrieved_context_ids=[...]`; without a testset also `user_input`, `reference`,
                `reference_contexts`, `reference_context_ids`.

        Returns:
            The sample that will be scored. Changing your objects later does not change it.

        Raises:
            TypeError: The answer, or a field of it, is not what it should be.
        """
        __tracebackhide__ = True
        if isinstance(answer, Sample):
            if fields:
                raise TypeError("record() takes a Sample or fields by name, not both: put them into the Sample.")
            if any(answer is earlier for earlier in self.recorded):
                return answer  # `return ragas_sample.record(...)` records once
            return self._keep(self._completed(answer))
        if answer is None:
            return self._keep(self._answered(fields))
        found = _fields_of(answer)
        if self.from_testset:
            # a RAG may repeat what it was asked; the row knows better
            found = {name: value for name, value in found.items() if name not in _OF_THE_ROW}
        return self._keep(self._answered({**found, **fields}))

    def _answered(self, found: Mapping[str, Any]) -> Sample:
        __tracebackhide__ = True
        if not found:
            raise TypeError("record() was given nothing. Write for example record(response=answer.text).")
        changes: dict[str, Any] = {}
        for name, value in found.items():
            if name in _TEXT:
                changes[name] = _text(name, value)
            elif name in _LISTS:
                changes[name] = _texts(name, value)
            else:
                close = difflib.get_close_matches(_OLD_NAMES.get(name, name), (*_TEXT, *_LISTS), n=1)
                mend = f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join((*_TEXT, *_LISTS))}."
                raise TypeError(f"record() knows no field {name!r}. {mend}")
        given = [name for name in _OF_THE_ROW if name in changes]
        if self.from_testset and given:
            raise TypeError(
                f"{given[0]} belongs to the row {self.id!r} of the testset and cannot be recorded. "
                "To score something else, record a whole sample: record(Sample(...))."
            )
        if self.from_testset:
            return replace(self.sample, **changes)
        return Sample(**changes)

    def _completed(self, sample: Sample) -> Sample:
        """A whole sample about the row's question has the row's id, reference and tags, unless it brings its own."""
        row = self.row
        if not self.from_testset or sample.user_input not in ("", row.user_input) or sample is row:
            return sample
        missing: dict[str, Any] = {name: getattr(row, name) for name in _OF_THE_ROW if not getattr(sample, name)}
        if sample.id == stable_id(sample.user_input, sample.reference):
            missing["id"] = row.id
        for name in ("tags", "metadata", "source"):
            if not getattr(sample, name):
                missing[name] = getattr(row, name)
        return replace(sample, **missing)

    def _keep(self, sample: Sample) -> Sample:
        taken = sum(earlier.id.partition("#")[0] == sample.id for earlier in self.recorded)
        if taken:
            sample = replace(sample, id=f"{sample.id}#{taken + 1}")
        self.recorded.append(sample)
        return sample

    def samples(self) -> tuple[Sample, ...]:
        """What there is to score: the recorded answers, else the answer that the row carries."""
        if self.recorded:
            return tuple(self.recorded)
        sample = self.sample
        return (sample,) if sample.response is not None else ()

    def known(self) -> Sample:
        """What is known of the answer right now; nothing is waited for."""
        return self.recorded[-1] if self.recorded else self.row


def _fields_of(answer: Any) -> dict[str, Any]:
    """The fields of what a RAG returned; what else it holds (latency, usage ...) is its own business."""
    __tracebackhide__ = True
    if isinstance(answer, str):
        return {"response": answer}
    if isinstance(answer, Mapping):
        named = {_OLD_NAMES.get(name, name): value for name, value in answer.items() if value is not None}
        found = {name: named[name] for name in (*_TEXT, *_LISTS) if name in named}
        if "response" not in found:
            raise TypeError(
                f"The recorded mapping has no 'response', only {cut(', '.join(map(repr, answer)), 120)}. "
                'Record for example {"response": "...", "retrieved_contexts": ["..."]}.'
            )
        return found
    if hasattr(answer, "response"):
        found = {name: getattr(answer, name, None) for name in (*_TEXT, *_LISTS)}
        return {name: value for name, value in found.items() if value is not None or name == "response"}
    raise TypeError(
        f"{type(answer).__name__} is no answer: expected a string, a mapping with 'response', a Sample, or an object "
        "with .response. Write for example record(response=answer.text, retrieved_contexts=answer.chunks)."
    )


def _text(name: str, value: Any) -> str:
    __tracebackhide__ = True
    if isinstance(value, str):
        return str(value)
    mend = next((f" Did you mean its .{part}?" for part in ("content", "text") if hasattr(value, part)), "")
    raise TypeError(f"{name} must be a string, not {type(value).__name__} ({cut(repr(value), 80)}).{mend}")


def _texts(name: str, value: Any) -> tuple[str, ...]:
    __tracebackhide__ = True
    if isinstance(value, str):
        return (value,)
    if isinstance(value, Mapping) or not hasattr(value, "__iter__"):
        raise TypeError(f"{name} must be a list of strings, not {type(value).__name__} ({cut(repr(value), 80)}).")
    texts: list[str] = []
    for index, entry in enumerate(value):  # no comprehension: its frame could not be hidden
        texts.append(_passage(name, index, entry))
    return tuple(texts)


def _passage(name: str, index: int, entry: Any) -> str:
    __tracebackhide__ = True
    # documents as LangChain (page_content) and LlamaIndex (text) retrieve them
    for text in (entry, getattr(entry, "page_content", None), getattr(entry, "text", None)):
        if isinstance(text, str):
            return str(text)
    raise TypeError(
        f"{name}[{index}] must be a string or a document with .page_content or .text, "
        f"not {type(entry).__name__} ({cut(repr(entry), 80)})."
    )
