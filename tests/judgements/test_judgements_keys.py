"""Keys: what they depend on, and that they stay what they are."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ragas.judgements.key import answer_key, answer_request, digest, score_request, short, vector_key
from pytest_ragas.metrics.native.specs import SPECS
from pytest_ragas.values.model import Message, ModelIdentity

MODEL = ModelIdentity(
    provider="openai", name="judge", endpoint="https://api.example.com/v1", parameters=(("temperature", "0"),)
)
MESSAGES = (Message(role="system", content="Judge."), Message(role="user", content='{"größe": 1}'))
SCHEMA = {"title": "Verdicts", "type": "object"}


def test_keys_are_the_same_in_every_version() -> None:
    """A changed one throws away what everybody has stored and committed: raise FORMAT_VERSION if it must be."""
    assert answer_key(MODEL, MESSAGES, SCHEMA, 0) == "eec12cbc8ac49393983d928dcddfc47e"
    assert vector_key(MODEL, "größe") == "3df57388b023ce3b56acc7bae265ff8f"


@pytest.mark.parametrize(
    "changes",
    [
        {"repeat": 1},
        {"schema": {**SCHEMA, "title": "Other"}},
        {"messages": MESSAGES[:1]},
        {"messages": (dataclasses.replace(MESSAGES[0], role="user"), MESSAGES[1])},
        {"messages": (MESSAGES[0], dataclasses.replace(MESSAGES[1], content='{"größe": 2}'))},
        {"messages": (MESSAGES[0], dataclasses.replace(MESSAGES[1], content='{"größe": 1} '))},
        {"model": dataclasses.replace(MODEL, provider="langchain")},
        {"model": dataclasses.replace(MODEL, name="judge-2")},
        {"model": dataclasses.replace(MODEL, endpoint="https://other.example.com/v1")},
        {"model": dataclasses.replace(MODEL, parameters=(("temperature", "0.5"),))},
        {"model": dataclasses.replace(MODEL, parameters=())},
    ],
)
def test_the_key_of_an_answer_is_of_the_whole_request(changes: dict[str, Any]) -> None:
    same: dict[str, Any] = {"model": MODEL, "messages": MESSAGES, "schema": SCHEMA, "repeat": 0}
    assert answer_key(**{**same, **changes}) != answer_key(**same)
    assert answer_key(**{**same, "schema": dict(reversed(SCHEMA.items())), "messages": list(MESSAGES)}) == answer_key(
        **same
    )


def test_the_key_of_a_vector_is_of_the_model_and_the_text() -> None:
    keys = {
        vector_key(MODEL, "a"),
        vector_key(MODEL, "b"),
        vector_key(dataclasses.replace(MODEL, name="other"), "a"),
        vector_key(dataclasses.replace(MODEL, parameters=(("dimensions", "256"),)), "a"),
    }
    assert len(keys) == 4


def test_a_request_says_what_it_was_made_of_without_the_texts() -> None:
    request = answer_request(MODEL, MESSAGES, SCHEMA, 2)
    assert request["model"]["name"] == "judge"
    assert request["repeat"] == 2
    assert request["structure"][0] == "Verdicts"
    assert request["messages"] == [["system", short("Judge.")], ["user", short('{"größe": 1}')]]
    assert "größe" not in str(request)


def test_a_score_depends_on_options_whatever_type_they_are_written_in() -> None:
    def key(**options: Any) -> str:
        return digest(score_request(SPECS[0], options=options, critic=MODEL, embeddings=None))

    assert key(weights=[0.75, 0.25]) == key(weights=(0.75, 0.25))
    assert key(weights=[0.75, 0.25]) != key(weights=[0.5, 0.5])
    assert key() != key(mode="f1")


@given(st.text(st.characters(exclude_categories=())), st.text(st.characters(exclude_categories=())))
def test_any_text_has_a_digest_and_different_ones_differ(one: str, other: str) -> None:
    assert len(digest(one)) == 32
    assert (digest(one) == digest(other)) == (one == other)
    assert digest([one, other]) != digest([one + other])
