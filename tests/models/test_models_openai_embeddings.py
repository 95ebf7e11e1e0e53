"""`OpenAIEmbeddings` against a real server."""

from __future__ import annotations

import asyncio
import base64
import json
import struct
from collections.abc import Sequence
from typing import Any

import pytest
from openai_server.lexical import bag_of_words
from openai_server.server import OpenAIServer

from pytest_ragas.errors import ConfigurationError, RejectedRequestError, TransientModelError, UnknownNameError
from pytest_ragas.models.openai_api import OpenAIEmbeddings
from pytest_ragas.models.openai_vectors import batches
from pytest_ragas.protocols import Embeddings
from pytest_ragas.settings.secret import Secret
from pytest_ragas.settings.values import ModelSettings
from pytest_ragas.values.model import Usage, Vectors


def embed(server: OpenAIServer, texts: Sequence[str], times: int = 1, **changes: Any) -> Sequence[Sequence[float]]:
    async def main() -> Sequence[Sequence[float]]:
        embeddings = OpenAIEmbeddings(ModelSettings(**{"model_name": "emb", "api_base": server.url, **changes}))
        try:
            for _ in range(times):
                vectors = await embeddings.embed(texts)
            return vectors
        finally:
            await embeddings.aclose()

    return asyncio.run(main())


def test_texts_come_back_as_vectors_in_order(openai_server: OpenAIServer) -> None:
    texts = ["one fish", "two fish", "one fish", "red fish"]
    assert embed(openai_server, texts) == [bag_of_words(text) for text in texts]
    # plain texts: a server that is not OpenAI's does not know token ids
    body = {"model": "emb", "input": ["one fish", "two fish", "red fish"], "encoding_format": "base64"}
    assert openai_server.embeddings[0].body == body


def test_what_vectors_cost_is_said_with_them(openai_server: OpenAIServer) -> None:
    vectors = embed(openai_server, ["one fish", "two fish", "red"], options={"batch_size": 2})
    assert isinstance(vectors, Vectors)
    assert vectors.usage == Usage(calls=2, prompt_tokens=5)


def test_batches_that_were_answered_before_an_error_are_paid_for(openai_server: OpenAIServer) -> None:
    openai_server.fault("status", status=503, route="embeddings", every=2)
    with pytest.raises(TransientModelError) as caught:
        embed(openai_server, ["one fish", "two fish", "red"], options={"batch_size": 2})
    assert caught.value.usage == Usage(calls=2, prompt_tokens=4)


def test_a_server_that_packs_no_vectors_answers_with_numbers(openai_server: OpenAIServer) -> None:
    openai_server.plain_vectors = True
    assert embed(openai_server, ["one fish"], times=2) == [bag_of_words("one fish")]
    assert len(openai_server.embeddings) == 2


@pytest.mark.parametrize("status", [400, 404, 422, 500])
def test_a_server_that_refuses_packed_vectors_is_asked_for_numbers(openai_server: OpenAIServer, status: int) -> None:
    refuses = "body.encoding_format: Extra inputs are not permitted"
    openai_server.fault(
        "status", status=status, message=refuses, route="embeddings", when=lambda body: "encoding_format" in body
    )
    assert embed(openai_server, ["one fish"], times=2) == [bag_of_words("one fish")]
    assert ["encoding_format" in request.body for request in openai_server.embeddings] == [True, False, False]


def test_an_error_that_has_nothing_to_do_with_packing_is_raised(openai_server: OpenAIServer) -> None:
    openai_server.fault("status", status=400, message="the model is not an embedding model", route="embeddings")
    with pytest.raises(RejectedRequestError, match="not an embedding model"):
        embed(openai_server, ["one fish"])
    assert len(openai_server.embeddings) == 2


def test_once_packed_vectors_came_an_error_is_an_error(openai_server: OpenAIServer) -> None:
    openai_server.fault(
        "status", status=400, message="bad input", route="embeddings", when=lambda body: "bad" in body["input"]
    )

    async def main() -> None:
        embeddings = OpenAIEmbeddings(ModelSettings(model_name="emb", api_base=openai_server.url))
        await embeddings.embed(["good"])
        with pytest.raises(RejectedRequestError):
            await embeddings.embed(["bad"])
        await embeddings.aclose()

    asyncio.run(main())
    assert len(openai_server.embeddings) == 2


def test_vectors_are_put_into_the_order_of_their_index(openai_server: OpenAIServer) -> None:
    openai_server.shuffled = True
    texts = ["one", "two", "three"]
    assert embed(openai_server, texts) == [bag_of_words(text) for text in texts]


def test_many_texts_go_in_batches(openai_server: OpenAIServer) -> None:
    texts = [f"text {number}" for number in range(150)]
    assert embed(openai_server, texts) == [bag_of_words(text) for text in texts]
    assert [len(request.body["input"]) for request in openai_server.embeddings] == [64, 64, 22]
    openai_server.reset()
    embed(openai_server, texts[:5], options={"batch_size": 2})
    assert [len(request.body["input"]) for request in openai_server.embeddings] == [2, 2, 1]


def test_batches_are_bounded_in_characters() -> None:
    assert batches(["aaaa", "bb", "cccccccccc", "d"], size=64, characters=6) == [["aaaa", "bb"], ["cccccccccc"], ["d"]]
    assert batches([], size=64) == []


@pytest.mark.parametrize("limit", [10, 1])
def test_a_server_that_takes_fewer_texts_is_given_fewer(openai_server: OpenAIServer, limit: int) -> None:
    openai_server.max_batch = limit
    texts = [f"text {number}" for number in range(25)]
    assert embed(openai_server, texts, times=2) == [bag_of_words(text) for text in texts]
    sizes = [len(request.body["input"]) for request in openai_server.embeddings]
    good = [limit] * (25 // limit) + ([25 % limit] if 25 % limit else [])
    assert sizes == [25, *good, *good]


def test_a_server_that_finds_a_body_too_large_gets_half(openai_server: OpenAIServer) -> None:
    openai_server.fault("status", status=413, route="embeddings", when=lambda body: len(body["input"]) > 3)
    assert len(embed(openai_server, [str(number) for number in range(8)])) == 8
    assert [len(request.body["input"]) for request in openai_server.embeddings] == [8, 4, 2, 2, 2, 2]


def test_dimensions_and_extra_parameters_go_onto_the_wire(openai_server: OpenAIServer) -> None:
    vectors = embed(
        openai_server,
        ["a"],
        options={"dimensions": 8},
        generation_config={"extra_body": {"truncate": True}, "encoding_format": "float"},
        api_key=Secret("sk-1234567890"),
    )
    assert len(vectors[0]) == 8
    body = {"model": "emb", "input": ["a"], "dimensions": 8, "truncate": True, "encoding_format": "float"}
    assert openai_server.embeddings[0].body == body
    assert openai_server.embeddings[0].headers["authorization"] == "Bearer sk-1234567890"


def test_azure_embeddings(openai_server: OpenAIServer) -> None:
    embed(openai_server, ["a"], api_base=openai_server.origin, api_version="2024-10-21")
    assert openai_server.embeddings[0].path == "/openai/deployments/emb/embeddings"


def test_the_identity_holds_what_changes_the_vectors(openai_server: OpenAIServer) -> None:
    embeddings = OpenAIEmbeddings(
        ModelSettings(model_name="emb", api_base=openai_server.url, options={"dimensions": 8, "batch_size": 2})
    )
    assert isinstance(embeddings, Embeddings)
    assert embeddings.identity.to_json() == {
        "provider": "openai",
        "name": "emb",
        "endpoint": openai_server.url,
        "parameters": {"dimensions": "8"},
    }


def test_no_texts_no_request(openai_server: OpenAIServer) -> None:
    assert embed(openai_server, []) == []
    assert openai_server.requests == []


@pytest.mark.parametrize("empty", ["", " \n"])
def test_an_empty_text_has_no_vector(openai_server: OpenAIServer, empty: str) -> None:
    with pytest.raises(RejectedRequestError, match=r"Text 2 of 2 is empty"):
        embed(openai_server, ["a", empty])
    assert openai_server.requests == []


def test_base64_is_read_where_a_server_answers_in_it(openai_server: OpenAIServer) -> None:
    packed = base64.b64encode(struct.pack("<3f", 0.5, -1.0, 2.0)).decode()
    openai_server.fault("body", status=200, route="embeddings", body=answer([{"index": 0, "embedding": packed}]))
    assert embed(openai_server, ["a"]) == [[0.5, -1.0, 2.0]]


def answer(data: Any) -> bytes:
    return json.dumps({"object": "list", "data": data}).encode()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ([{"embedding": [1.0]}], "gave 1 vectors for 2 texts"),
        (None, "gave no vectors for 2 texts"),
        ([{"index": 0, "embedding": [1.0]}, {"index": 0, "embedding": [1.0]}], "out of order: index 0"),
        ([{"index": 0, "embedding": [1.0]}, {"index": 2, "embedding": [1.0]}], "out of order: index 2"),
        ([{"embedding": [1.0]}, "x"], "out of order"),
        ([{"embedding": [1.0]}, {"embedding": []}], "is no vector. Is it an embedding model?"),
        ([{"embedding": [1.0]}, {"embedding": "%%%"}], "is no vector"),
        ([{"embedding": [1.0]}, {"embedding": None}], "is no vector"),
        ([{"embedding": [1.0]}, {"embedding": [float("nan")]}], "not finite"),
        ([{"embedding": [1.0]}, {"embedding": [float("inf")]}], "not finite"),
        ([{"embedding": [1.0]}, {"embedding": [1.0, 2.0]}], "different lengths: [1, 2]"),
    ],
)
def test_vectors_that_are_none_are_refused(openai_server: OpenAIServer, data: Any, says: str) -> None:
    openai_server.fault("body", status=200, route="embeddings", body=answer(data))
    with pytest.raises(RejectedRequestError) as caught:
        embed(openai_server, ["a", "b"])
    assert says in str(caught.value)
    assert "emb" in str(caught.value)


def test_errors_are_those_of_the_chat(openai_server: OpenAIServer) -> None:
    openai_server.fault("status", status=503, route="embeddings", times=1, headers={"retry-after-ms": "1500"})
    with pytest.raises(TransientModelError) as caught:
        embed(openai_server, ["a"])
    assert caught.value.retry_after == 1.5
    openai_server.fault("status", status=400, route="embeddings", message="maximum context length is 8192 tokens")
    with pytest.raises(RejectedRequestError, match="shorter contexts"):
        embed(openai_server, ["a", "b"])
    assert len(openai_server.embeddings) == 2  # too long a text is not a matter of how many


@pytest.mark.parametrize("options", [{"batch_size": 0}, {"batch_size": True}, {"dimensions": "8"}])
def test_options_are_checked(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="must be a positive integer"):
        OpenAIEmbeddings(ModelSettings(model_name="emb", options=options))


def test_an_unknown_option_suggests_its_neighbour() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'dimensions'"):
        OpenAIEmbeddings(ModelSettings(model_name="emb", options={"dimension": 8}))
