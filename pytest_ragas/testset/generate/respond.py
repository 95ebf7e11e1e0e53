"""`respond`: a row answered from its own contexts, as a stand-in for a RAG."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pytest_ragas.protocols import LLM
from pytest_ragas.testset.generate.prompt import TEXT, prompt, read_text, structure
from pytest_ragas.values.document import Document
from pytest_ragas.values.sample import Sample

_RESPONSE = structure("Response", response=TEXT)


async def respond(row: Sample, documents: Mapping[str, Document], llm: LLM) -> Sample:
    """One call: the row with a response, and with its own contexts as the retrieved ones.

    Args:
        row: A generated one.
        documents: By path.
        llm: The generator LLM.

    Raises:
        ModelError: It did not answer.
    """
    places = [(source["path"], source["start"], source["end"]) for source in row.metadata["sources"]]
    contexts = [documents[path].text[start:end] for path, start, end in places]
    answer = await prompt("response").ask(llm, {"contexts": contexts, "question": row.user_input}, _RESPONSE)
    return replace(row, response=read_text(answer, "response"), retrieved_contexts=tuple(contexts))
