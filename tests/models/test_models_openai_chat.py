"""`OpenAIChat` against a real server: what goes onto the wire, and what comes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest
from openai_server.server import OpenAIServer

from pytest_ragas.errors import ConfigurationError, RejectedRequestError, StructureError
from pytest_ragas.models.openai_api import OpenAIChat
from pytest_ragas.protocols import LLM
from pytest_ragas.settings.secret import Secret
from pytest_ragas.settings.values import ModelSettings
from pytest_ragas.values.model import Answer, Message, Usage

T = TypeVar("T")
SCHEMA: dict[str, Any] = {
    "title": "Statements",
    "type": "object",
    "properties": {"statements": {"type": "array", "items": {"type": "string"}}},
    "required": ["statements"],
    "additionalProperties": False,
}
MESSAGES = (
    Message(role="system", content="Break the text into statements."),
    Message(role="user", content=json.dumps({"text": "It is blue. It is 2 m long."})),
)
VALUE = {"statements": ["It is blue.", "It is 2 m long."]}
MODES = ("json_schema", "json_object", "tools", "text")


def with_chat(settings: ModelSettings, work: Callable[[OpenAIChat], Coroutine[Any, Any, T]]) -> T:
    """Run `work` on a loop of its own and close the client there."""

    async def main() -> T:
        chat = OpenAIChat(settings)
        try:
            return await work(chat)
        finally:
            await chat.aclose()

    return asyncio.run(main())


def ask(settings: ModelSettings, messages: tuple[Message, ...] = MESSAGES, schema: dict[str, Any] = SCHEMA) -> Answer:
    return with_chat(settings, lambda chat: chat.ask(messages, schema))


def settings_of(server: OpenAIServer, **changes: Any) -> ModelSettings:
    return ModelSettings(**{"model_name": "judge", "api_base": server.url, **changes})


@pytest.mark.parametrize("mode", MODES)
def test_the_answer_comes_back_validated_in_every_mode(openai_server: OpenAIServer, mode: str) -> None:
    answer = ask(settings_of(openai_server, structure=mode))
    assert answer.value == VALUE
    assert json.loads(answer.raw) == VALUE
    (request,) = openai_server.chats
    assert request.mode == mode
    prompt = sum(len(message["content"].split()) for message in request.body["messages"])
    assert answer.usage == Usage(calls=1, prompt_tokens=prompt, completion_tokens=len(answer.raw.split()))


def test_the_body_of_a_json_schema_request_is_exactly_this(openai_server: OpenAIServer) -> None:
    ask(settings_of(openai_server))
    assert openai_server.chats[0].body == {
        "model": "judge",
        "messages": [{"role": message.role, "content": message.content} for message in MESSAGES],
        "temperature": 0,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "Statements", "strict": True, "schema": SCHEMA},
        },
    }


def test_the_schema_is_said_in_words_where_the_server_gets_none(openai_server: OpenAIServer) -> None:
    ask(settings_of(openai_server, structure="json_object"))
    ask(settings_of(openai_server, structure="text"))
    ask(settings_of(openai_server, structure="text"), messages=MESSAGES[1:])
    as_object, as_text, without_system = openai_server.chats
    said = f"{MESSAGES[0].content}\n\nAnswer with one JSON object and nothing else. It must satisfy this JSON Schema:\n"
    assert as_object.body["messages"] == as_text.body["messages"]
    assert as_text.body["messages"][0]["content"] == said + json.dumps(SCHEMA)
    # the data stays as it was: a metric's user message holds nothing else
    assert as_text.body["messages"][1]["content"] == MESSAGES[1].content
    assert without_system.body["messages"][-1]["content"].endswith(json.dumps(SCHEMA))
    assert as_object.body["response_format"] == {"type": "json_object"}
    assert as_text.body.keys() == {"model", "messages", "temperature"}


def test_tools_force_the_one_function(openai_server: OpenAIServer) -> None:
    ask(settings_of(openai_server, structure="tools"))
    body = openai_server.chats[0].body
    assert body["tool_choice"] == {"type": "function", "function": {"name": "Statements"}}
    assert body["tools"][0]["function"]["parameters"] == SCHEMA
    assert body.keys() == {"model", "messages", "temperature", "tools", "tool_choice"}


@pytest.mark.parametrize(
    ("config", "wire"),
    [
        ({}, {"temperature": 0}),
        ({"temperature": 0.7}, {"temperature": 0.7}),
        ({"temperature": None}, {}),
        (
            {"temperature": 0.1, "max_tokens": 512, "top_p": 0.9, "seed": 7, "stop": ["END"]},
            {"temperature": 0.1, "max_tokens": 512, "top_p": 0.9, "seed": 7, "stop": ["END"]},
        ),
        ({"max_new_tokens": 64}, {"temperature": 0, "max_tokens": 64}),
        ({"max_new_tokens": 64, "max_tokens": 64}, {"temperature": 0, "max_tokens": 64}),
        ({"reasoning_effort": "low", "n": 1}, {"temperature": 0, "reasoning_effort": "low", "n": 1}),
        (
            {"extra_body": {"guided_decoding_backend": "xgrammar", "chat_template_kwargs": {"enable_thinking": False}}},
            {
                "temperature": 0,
                "guided_decoding_backend": "xgrammar",
                "chat_template_kwargs": {"enable_thinking": False},
            },
        ),
    ],
)
def test_generation_config_goes_onto_the_wire_and_nothing_else(
    openai_server: OpenAIServer, config: dict[str, Any], wire: dict[str, Any]
) -> None:
    ask(settings_of(openai_server, structure="text", generation_config=config))
    body = dict(openai_server.chats[0].body)
    del body["model"], body["messages"]
    assert body == wire


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"messages": []}, "'messages'"),
        ({"response_format": {"type": "text"}}, "structure = "),
        ({"extra_body": {"tools": []}}, "'tools'"),
        ({"stream": True}, "'stream'"),
        ({"n": 3}, "'n'"),
        ({"max_tokens": 1, "max_new_tokens": 2}, "'max_tokens' twice, to 1 and 2"),
        ({"temperature": float("nan")}, "cannot be sent"),
        ({"stop": object()}, "cannot be sent"),
        ({"extra_body": "x"}, "must be a table"),
    ],
)
def test_a_generation_config_that_cannot_be_sent_is_a_configuration_error(config: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        OpenAIChat(ModelSettings(model_name="judge", generation_config=config))
    assert says in str(caught.value)


def test_a_model_name_is_needed() -> None:
    with pytest.raises(ConfigurationError, match='model_name = "gpt-4o-mini"'):
        OpenAIChat(ModelSettings(api_base="http://localhost:1/v1"))


def test_the_identity_says_what_decides_the_answers_and_no_secret(openai_server: OpenAIServer) -> None:
    settings = settings_of(
        openai_server,
        api_base=f"http://user:pass-word@127.0.0.1:{openai_server.port}/v1/?key=query-secret",
        api_key=Secret("sk-very-secret", "env:KEY"),
        headers={"X-Team": Secret("team-secret")},
        structure="tools",
        generation_config={"seed": 7, "extra_body": {"top_k": 1}},
    )
    chat = OpenAIChat(settings)
    assert isinstance(chat, LLM)
    assert chat.identity.to_json() == {
        "provider": "openai",
        "name": "judge",
        "endpoint": openai_server.url,
        "parameters": {"seed": "7", "structure": '"tools"', "temperature": "0", "top_k": "1"},
    }
    ask(settings)
    assert openai_server.chats[0].query == {"key": "query-secret"}


def test_a_wider_schema_is_made_strict_and_its_nulls_are_taken_out_again(openai_server: OpenAIServer) -> None:
    schema = {
        "title": "A Title, with spaces",
        "$defs": {"V": {"type": "object", "properties": {"v": {"type": "integer", "maximum": 1}}, "required": ["v"]}},
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": {"$ref": "#/$defs/V", "description": "one"}, "minItems": 1},
            "note": {"type": "string", "default": "", "maxLength": 5},
            "kind": {"enum": ["a", "b"]},
        },
        "required": ["items"],
    }
    openai_server.brain = lambda request: {"items": [{"v": 1}], "note": None, "kind": None}
    answer = ask(settings_of(openai_server), schema=schema)
    assert answer.value == {"items": [{"v": 1}]}
    sent = openai_server.chats[0].body["response_format"]["json_schema"]
    assert sent == {
        "name": "A_Title_with_spaces",
        "strict": True,
        "schema": {
            "title": "A Title, with spaces",
            "$defs": {
                "V": {
                    "type": "object",
                    "properties": {"v": {"type": "integer", "maximum": 1}},
                    "required": ["v"],
                    "additionalProperties": False,
                }
            },
            "type": "object",
            "properties": {
                "items": {"type": "array", "items": {"$ref": "#/$defs/V"}, "minItems": 1},
                "note": {"type": ["string", "null"]},
                "kind": {"anyOf": [{"type": "string", "enum": ["a", "b"]}, {"type": "null"}]},
            },
            "required": ["items", "note", "kind"],
            "additionalProperties": False,
        },
    }


@pytest.mark.parametrize(
    "loose",
    [
        {"type": "object"},
        {"type": "object", "properties": {}, "additionalProperties": True},
        {"type": "object", "properties": {"any": {}}},
        {"type": "object", "properties": {"pair": {"type": "array", "prefixItems": [{}, {}]}}},
        {"type": "object", "properties": {"x": {"not": {"type": "string"}}}},
    ],
)
def test_a_schema_that_cannot_be_strict_is_sent_as_it_is(openai_server: OpenAIServer, loose: dict[str, Any]) -> None:
    openai_server.brain = lambda request: {}
    ask(settings_of(openai_server), schema=loose)
    sent = openai_server.chats[0].body["response_format"]["json_schema"]
    assert sent == {"name": "answer", "schema": loose}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("spoiled", ["fenced", "prose", "trailing_comma", "single_quotes", "thinking"])
def test_answers_in_a_wrapping_are_read_in_every_mode(openai_server: OpenAIServer, mode: str, spoiled: str) -> None:
    openai_server.fault(spoiled)
    assert ask(settings_of(openai_server, structure=mode)).value == VALUE
    assert len(openai_server.chats) == 1


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("spoiled", "says"),
    [
        ("truncated", "is cut off"),
        ("length", "truncated: the model was stopped after"),
        ("not_json", "holds no JSON; it begins with 'I would say"),
        ("other_language", "holds no JSON; it begins with 'Die meisten"),
        ("empty", "The answer is empty."),
        ("null", "The answer is empty."),
        ("null_json", "the answer is null, not of type object"),
        ("wrong_schema", "the answer lacks 'statements'"),
    ],
)
def test_answers_without_a_certain_meaning_cost_one_request_and_say_why(
    openai_server: OpenAIServer, mode: str, spoiled: str, says: str
) -> None:
    openai_server.fault(spoiled)
    with pytest.raises(StructureError) as caught:
        ask(settings_of(openai_server, structure=mode))
    assert says in str(caught.value)
    assert len(openai_server.chats) == 1
    usage = caught.value.usage
    assert isinstance(usage, Usage)  # a wrong answer is paid for too
    assert usage.calls == 1
    assert usage.prompt_tokens > 0


def test_a_truncated_answer_names_the_mend(openai_server: OpenAIServer) -> None:
    openai_server.fault("length")
    with pytest.raises(StructureError, match=r"after \d+ tokens\. Raise max_tokens in generation_config\."):
        ask(settings_of(openai_server))
    assert len(openai_server.chats) == 1


def test_an_answer_that_is_whole_though_the_model_was_stopped_counts(openai_server: OpenAIServer) -> None:
    openai_server.fault("body", status=200, body=completion(content=json.dumps(VALUE), finish="length"))
    assert ask(settings_of(openai_server)).value == VALUE


@pytest.mark.parametrize(
    ("spoiled", "says"),
    [("refusal", "refused to answer: I cannot judge this"), ("content_filter", "content filter stopped the answer")],
)
def test_refusals_are_not_asked_again(openai_server: OpenAIServer, spoiled: str, says: str) -> None:
    openai_server.fault(spoiled)
    with pytest.raises(RejectedRequestError, match=says):
        ask(settings_of(openai_server))
    assert len(openai_server.chats) == 1


def completion(finish: str = "stop", usage: Any = None, **message: Any) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return json.dumps({"choices": [choice], "usage": usage}).encode()


TEXT = json.dumps(VALUE)


@pytest.mark.parametrize(
    "message",
    [
        {"content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": TEXT}]},
        {"content": VALUE},
        {"content": TEXT, "reasoning_content": 'maybe {"statements": []}'},
        {"content": None, "tool_calls": [{"type": "function", "function": {"name": "Statements", "arguments": TEXT}}]},
        {"content": "", "tool_calls": [{"function": {"name": "Statements", "arguments": VALUE}}] * 2},
        {"content": None, "function_call": {"name": "Statements", "arguments": TEXT}},
    ],
)
def test_the_shapes_that_servers_give_an_answer_are_read(openai_server: OpenAIServer, message: dict[str, Any]) -> None:
    openai_server.fault("body", status=200, body=completion(**message))
    answer = ask(settings_of(openai_server))
    assert answer.value == VALUE
    assert answer.usage == Usage(calls=1)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"choices": []}', "holds no choice"),
        (b'{"choices": [null], "usage": {"prompt_tokens": null, "completion_tokens": -1}}', "holds no choice"),
        (completion(content=None, reasoning_content="I think that"), "reasoned, and then said nothing"),
        (
            completion(content=None, reasoning="I think that", finish="length"),
            "while it was still reasoning. Raise max",
        ),
        (
            completion(
                content=None,
                tool_calls=[{"function": {"arguments": TEXT}}, {"function": {"arguments": '{"statements": []}'}}],
            ),
            "2 different JSON values",
        ),
    ],
)
def test_answers_that_hold_none_say_so(openai_server: OpenAIServer, body: bytes, says: str) -> None:
    openai_server.fault("body", status=200, body=body)
    with pytest.raises(StructureError) as caught:
        ask(settings_of(openai_server, structure="json_schema"))
    assert says in str(caught.value)


def test_every_text_can_be_sent(openai_server: OpenAIServer) -> None:
    """Half a surrogate pair (a broken emoji in a scraped document) cannot be UTF-8; NUL and others can."""
    openai_server.brain = lambda request: {"statements": [request["messages"][0]["content"]]}
    answer = ask(settings_of(openai_server), messages=(Message(role="user", content="a\ud83d b\x00 ü 日本 😀"),))
    assert answer.value == {"statements": ["a? b\x00 ü 日本 😀"]}


def test_several_clients_share_one_session_and_the_last_one_closes_it(openai_server: OpenAIServer) -> None:
    from pytest_ragas.models.transport import _POOLS

    async def main() -> None:
        first, second = OpenAIChat(settings_of(openai_server)), OpenAIChat(settings_of(openai_server, model_name="b"))
        await asyncio.gather(first.ask(MESSAGES, SCHEMA), second.ask(MESSAGES, SCHEMA))
        pool = _POOLS[asyncio.get_running_loop()]
        assert pool.users == 2
        await first.aclose()
        await first.aclose()
        assert (await second.ask(MESSAGES, SCHEMA)).value == VALUE
        await second.aclose()
        assert pool.session.closed
        assert (await second.ask(MESSAGES, SCHEMA)).value == VALUE  # closed is not broken
        await second.aclose()
        assert asyncio.get_running_loop() not in _POOLS

    asyncio.run(main())
    assert with_chat(settings_of(openai_server), lambda chat: chat.ask(MESSAGES, SCHEMA)).value == VALUE
