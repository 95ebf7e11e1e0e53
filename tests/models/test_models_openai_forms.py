"""What the first request to a server finds out: how it takes a schema, and which parameters its model takes."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from openai_server.server import MODES, OpenAIServer

from pytest_ragas.errors import ModelError, RejectedRequestError, StructureError, TransientModelError
from pytest_ragas.models.openai_api import OpenAIChat
from pytest_ragas.settings.values import ModelSettings
from pytest_ragas.values.model import Answer, Message

SCHEMA: dict[str, Any] = {
    "title": "Statements",
    "type": "object",
    "properties": {"statements": {"type": "array", "items": {"type": "string"}}},
    "required": ["statements"],
}
VALUE = {"statements": ["It is blue."]}
SYSTEM = Message(role="system", content="Break the text into statements.")


def messages(number: int = 0) -> tuple[Message, ...]:
    return (SYSTEM, Message(role="user", content=json.dumps({"n": number, "text": "It is blue."})))


def settings_of(server: OpenAIServer, **changes: Any) -> ModelSettings:
    return ModelSettings(**{"model_name": "judge", "api_base": server.url, **changes})


def ask_in_turn(settings: ModelSettings, times: int = 1, schema: dict[str, Any] = SCHEMA) -> list[Answer | ModelError]:
    """Answers or errors of so many calls, one after the other."""

    async def main() -> list[Answer | ModelError]:
        chat = OpenAIChat(settings)
        out: list[Answer | ModelError] = []
        for number in range(times):
            try:
                out.append(await chat.ask(messages(number), schema))
            except ModelError as error:
                out.append(error)
        await chat.aclose()
        return out

    return asyncio.run(main())


def ask_at_once(settings: ModelSettings, times: int) -> list[Answer | BaseException]:
    async def main() -> list[Answer | BaseException]:
        chat = OpenAIChat(settings)
        calls = [chat.ask(messages(number), SCHEMA) for number in range(times)]
        out = await asyncio.gather(*calls, return_exceptions=True)
        await chat.aclose()
        return out

    return asyncio.run(main())


def modes_asked(server: OpenAIServer) -> list[str]:
    return [request.mode for request in server.chats]


@pytest.mark.parametrize("status", [400, 404, 422, 500])
@pytest.mark.parametrize("best", MODES)
def test_the_best_mode_that_the_server_takes_is_found_once(openai_server: OpenAIServer, best: str, status: int) -> None:
    openai_server.modes = set(MODES[MODES.index(best) :])
    openai_server.refusal_status = status
    first, second = ask_in_turn(settings_of(openai_server), 2)
    assert isinstance(first, Answer)
    assert isinstance(second, Answer)
    assert first.value == second.value == VALUE
    walked = list(MODES[: MODES.index(best) + 1])
    assert modes_asked(openai_server) == [*walked, best]
    assert (first.usage.calls, second.usage.calls) == (len(walked), 1)
    # another client of the process need not find out again
    (third,) = ask_in_turn(settings_of(openai_server))
    assert isinstance(third, Answer)
    assert modes_asked(openai_server) == [*walked, best, best]


@pytest.mark.parametrize("best", MODES[1:])
def test_a_mode_that_the_server_ignores_is_not_used(openai_server: OpenAIServer, best: str) -> None:
    """llama.cpp and others take any response_format, answer 200 and do nothing about it."""
    openai_server.ignores = set(MODES[: MODES.index(best)])
    first, second = ask_in_turn(settings_of(openai_server), 2)
    assert isinstance(first, Answer)
    assert isinstance(second, Answer)
    assert modes_asked(openai_server) == [*MODES[: MODES.index(best) + 1], best]


def test_a_server_that_makes_json_of_its_own_is_told_the_schema(openai_server: OpenAIServer) -> None:
    openai_server.fault("wrong_schema", when=lambda body: "json_schema" in body.get("response_format", {}))
    answer, again = ask_in_turn(settings_of(openai_server), 2)
    assert isinstance(answer, Answer)
    assert isinstance(again, Answer)
    assert modes_asked(openai_server) == ["json_schema", "json_object", "json_object"]


def test_the_refusals_of_known_servers_are_understood(openai_server: OpenAIServer) -> None:
    texts = [
        "This response_format type is unavailable now",  # DeepSeek
        "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.",  # OpenAI
        'response_format type must be one of "text" or "json_object", but got: json_schema',  # llama.cpp, with 500
        "Failed to parse grammar",  # llama.cpp
        "Structured outputs are not supported by this backend",
        "[{'type': 'extra_forbidden', 'loc': ('body', 'response_format'), 'msg': 'Extra inputs are not permitted'}]",
    ]
    for text in texts:
        openai_server.reset()
        openai_server.fault("status", status=400, message=text, times=1)
        (answer,) = ask_in_turn(settings_of(openai_server, model_name=text[:20]))
        assert isinstance(answer, Answer), text
        assert modes_asked(openai_server) == ["json_schema", "json_object"]


def test_a_fastapi_error_names_the_field(openai_server: OpenAIServer) -> None:
    body = json.dumps({"detail": [{"loc": ["body", "response_format"], "msg": "extra fields not permitted"}]}).encode()
    openai_server.fault("body", status=422, body=body, times=1)
    (answer,) = ask_in_turn(settings_of(openai_server))
    assert isinstance(answer, Answer)
    assert modes_asked(openai_server) == ["json_schema", "json_object"]


def test_a_server_that_refuses_bounds_gets_the_schema_without(openai_server: OpenAIServer) -> None:
    schema = {
        "type": "object",
        "title": "Statements",
        "properties": {"statements": {"type": "array", "items": {"type": "string"}, "minItems": 1}},
        "required": ["statements"],
    }
    openai_server.fault(
        "status",
        status=400,
        message="Invalid schema for response_format 'Statements': 'minItems' is not permitted.",
        when=lambda body: "minItems" in json.dumps(body),
    )
    first, second = ask_in_turn(settings_of(openai_server), 2, schema)
    assert isinstance(first, Answer)
    assert isinstance(second, Answer)
    assert modes_asked(openai_server) == ["json_schema"] * 3
    assert ["minItems" in json.dumps(request.body) for request in openai_server.chats] == [True, False, False]


@pytest.mark.parametrize("mode", MODES[:3])
def test_a_mode_that_the_user_chose_is_not_exchanged(openai_server: OpenAIServer, mode: str) -> None:
    openai_server.modes = {"text"}
    (error,) = ask_in_turn(settings_of(openai_server, structure=mode))
    assert isinstance(error, RejectedRequestError)
    assert f'The settings ask for structure = "{mode}"; leave it out' in str(error)
    assert len(openai_server.chats) == 1


@pytest.mark.parametrize(
    "message",
    [
        "Invalid request",
        "This model's maximum context length is 4096 tokens, however you requested 5000 (schema included)",
        "The response was filtered due to the prompt triggering Azure's content management policy (structured)",
    ],
)
def test_other_refusals_are_not_taken_for_a_matter_of_form(openai_server: OpenAIServer, message: str) -> None:
    openai_server.fault("status", status=400, message=message)
    (error,) = ask_in_turn(settings_of(openai_server))
    assert isinstance(error, RejectedRequestError)
    assert len(openai_server.chats) == 1


def test_a_model_that_never_gets_it_right_costs_one_request_after_the_first_call(openai_server: OpenAIServer) -> None:
    openai_server.fault("not_json")
    errors = ask_in_turn(settings_of(openai_server), 3)
    assert all(isinstance(error, StructureError) for error in errors)
    assert modes_asked(openai_server) == [*MODES, "json_object", "json_object"]


def test_an_answer_that_was_cut_off_says_nothing_about_the_server(openai_server: OpenAIServer) -> None:
    openai_server.fault("length", times=1)
    error, answer = ask_in_turn(settings_of(openai_server), 2)
    assert isinstance(error, StructureError)
    assert isinstance(answer, Answer)
    assert modes_asked(openai_server) == ["json_schema", "json_schema"]


def test_a_server_that_later_refuses_the_form_is_asked_in_the_next_one(openai_server: OpenAIServer) -> None:
    (first,) = ask_in_turn(settings_of(openai_server))
    openai_server.modes = {"tools", "text"}
    second, third = ask_in_turn(settings_of(openai_server), 2)
    assert all(isinstance(answer, Answer) for answer in (first, second, third))
    assert modes_asked(openai_server) == ["json_schema", "json_schema", "json_object", "tools", "tools"]


def test_the_first_calls_do_not_wait_for_each_other(openai_server: OpenAIServer) -> None:
    """Most servers take the first form: a run on one is not a whole call longer."""
    openai_server.latency = 0.05
    answers = ask_at_once(settings_of(openai_server), 30)
    assert all(isinstance(answer, Answer) for answer in answers)
    assert modes_asked(openai_server) == ["json_schema"] * 30
    assert openai_server.peak == 30


def test_what_is_refused_is_found_out_by_one(openai_server: OpenAIServer) -> None:
    openai_server.modes = {"text"}
    openai_server.latency = 0.05
    answers = ask_at_once(settings_of(openai_server), 30)
    assert all(isinstance(answer, Answer) for answer in answers)
    # what was in flight is refused once; then one goes on, and the others wait
    asked = Counter(modes_asked(openai_server))
    assert asked == {"json_schema": 30, "json_object": 1, "tools": 1, "text": 30}


def test_who_comes_after_the_first_refusal_waits(openai_server: OpenAIServer) -> None:
    openai_server.modes = {"tools", "text"}
    openai_server.latency = 0.1

    async def main() -> list[Answer]:
        chat = OpenAIChat(settings_of(openai_server))
        first = asyncio.create_task(chat.ask(messages(0), SCHEMA))
        await asyncio.sleep(0.15)
        others = [asyncio.create_task(chat.ask(messages(number), SCHEMA)) for number in range(1, 6)]
        answers = await asyncio.gather(first, *others)
        await chat.aclose()
        return answers

    assert [answer.value for answer in asyncio.run(main())] == [VALUE] * 6
    assert modes_asked(openai_server) == ["json_schema", "json_object", *["tools"] * 6]


def test_one_bad_answer_does_not_change_the_form(openai_server: OpenAIServer) -> None:
    """One request gets prose, the others what they want: it was the model, this once."""
    openai_server.fault("not_json", times=1, when=lambda body: '"n": 0' in body["messages"][1]["content"])
    openai_server.latency = 0.02
    ask_at_once(settings_of(openai_server), 5)
    openai_server.reset()
    assert all(isinstance(answer, Answer) for answer in ask_at_once(settings_of(openai_server), 5))
    assert modes_asked(openai_server) == ["json_schema"] * 5


def test_two_models_of_one_endpoint_are_found_out_apart(openai_server: OpenAIServer) -> None:
    openai_server.fault("status", message="no response_format here", when=lambda body: body["model"] == "old")
    openai_server.faults[0].when = lambda body: body["model"] == "old" and "response_format" in body
    assert isinstance(ask_in_turn(settings_of(openai_server, model_name="old"))[0], Answer)
    assert isinstance(ask_in_turn(settings_of(openai_server, model_name="new"))[0], Answer)
    assert modes_asked(openai_server) == ["json_schema", "json_object", "tools", "json_schema"]


@pytest.mark.parametrize(
    ("inject", "kind"),
    [
        (lambda server: server.fault("status", status=503), TransientModelError),
        (lambda server: server.fault("status", status=401), RejectedRequestError),
        (lambda server: server.fault("drop"), TransientModelError),
    ],
)
def test_a_server_that_is_down_fails_all_at_once(
    openai_server: OpenAIServer, inject: Callable[[OpenAIServer], object], kind: type[ModelError]
) -> None:
    """A hundred calls must not find out one after the other, each with a time-out of two minutes."""
    openai_server.latency = 0.05
    inject(openai_server)
    errors = ask_at_once(settings_of(openai_server), 20)
    assert all(type(error) is kind for error in errors)
    assert len({id(error) for error in errors}) == 20
    assert len(openai_server.chats) == openai_server.peak == 20


def test_those_who_wait_do_not_share_the_fault_of_one_prompt(openai_server: OpenAIServer) -> None:
    openai_server.fault("status", status=400, message="the prompt is too long", times=1)
    first, *others = ask_at_once(settings_of(openai_server), 5)
    assert isinstance(first, RejectedRequestError)
    assert all(isinstance(answer, Answer) for answer in others)
    assert len(openai_server.chats) == 5


def test_cancelling_the_first_call_lets_the_next_one_find_out(openai_server: OpenAIServer) -> None:
    openai_server.latency = 0.2

    async def main() -> list[Answer]:
        chat = OpenAIChat(settings_of(openai_server))
        first = asyncio.create_task(chat.ask(messages(0), SCHEMA))
        await asyncio.sleep(0.05)
        others = [asyncio.create_task(chat.ask(messages(number), SCHEMA)) for number in (1, 2, 3)]
        await asyncio.sleep(0.05)
        first.cancel()
        others[2].cancel()
        answers = await asyncio.gather(*others[:2])
        with pytest.raises(asyncio.CancelledError):
            await first
        await chat.aclose()
        return answers

    assert [answer.value for answer in asyncio.run(main())] == [VALUE, VALUE]


TEMPERATURE = (
    "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported."
)


def test_a_model_that_takes_no_temperature_is_asked_without_ours(openai_server: OpenAIServer) -> None:
    openai_server.refuses = {"temperature": TEMPERATURE}
    openai_server.latency = 0.02
    settings = settings_of(openai_server)
    before = OpenAIChat(settings)
    assert before.notes == ()
    answers = ask_at_once(settings, 10)
    assert all(isinstance(answer, Answer) for answer in answers)
    assert ["temperature" in request.body for request in openai_server.chats] == [True] * 10 + [False] * 10
    openai_server.reset()
    assert all(isinstance(answer, Answer) for answer in ask_at_once(settings, 10))
    assert ["temperature" in request.body for request in openai_server.chats] == [False] * 10
    assert before.notes == ("judge takes no temperature; it answers at its own",)
    # the identity says what was asked for, the same before and after
    assert dict(before.identity.parameters) == {"temperature": "0"}


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("`temperature` is deprecated for this model.", True),
        ("Unsupported parameter: 'temperature' is not supported with this model.", True),
        ("body.temperature: Extra inputs are not permitted", True),
        ("temperature must be 1 when thinking is enabled", True),
        ("Engine failed with SamplingParams(n=1, temperature=0.0, top_p=1.0). It is dead.", False),
    ],
)
def test_a_word_in_an_error_is_no_reason_to_drop_the_temperature(
    openai_server: OpenAIServer, text: str, taken: bool
) -> None:
    openai_server.fault("status", status=400, message=text, when=lambda body: "temperature" in body)
    (answer,) = ask_in_turn(settings_of(openai_server))
    assert isinstance(answer, Answer) == taken
    assert len(openai_server.chats) == 1 + taken


@pytest.mark.parametrize("name", ["temperature", "top_p"])
def test_a_parameter_that_the_user_set_is_never_dropped(openai_server: OpenAIServer, name: str) -> None:
    openai_server.refuses = {name: f"Unsupported parameter: '{name}' is not supported with this model."}
    (error,) = ask_in_turn(settings_of(openai_server, generation_config={name: 0}))
    assert isinstance(error, RejectedRequestError)
    assert f"Change or remove {name} in generation_config." in str(error)
    assert len(openai_server.chats) == 1


def test_max_tokens_goes_by_the_name_that_the_model_knows(openai_server: OpenAIServer) -> None:
    openai_server.refuses = {
        "max_tokens": "Unsupported parameter: 'max_tokens' is not supported with this model. "
        "Use 'max_completion_tokens' instead.",
        "temperature": TEMPERATURE,
    }
    first, second = ask_in_turn(settings_of(openai_server, generation_config={"max_tokens": 99}), 2)
    assert isinstance(first, Answer)
    assert isinstance(second, Answer)
    assert first.usage.calls == 3
    sent = [
        {
            name: request.body[name]
            for name in ("max_tokens", "max_completion_tokens", "temperature")
            if name in request.body
        }
        for request in openai_server.chats
    ]
    assert sent == [
        {"max_tokens": 99, "temperature": 0},
        {"max_completion_tokens": 99, "temperature": 0},
        {"max_completion_tokens": 99},
        {"max_completion_tokens": 99},
    ]


def test_a_limit_that_the_model_refuses_is_not_tried_twice(openai_server: OpenAIServer) -> None:
    openai_server.refuses = {
        "max_tokens": "Use 'max_completion_tokens' instead of 'max_tokens'.",
        "max_completion_tokens": "max_completion_tokens is too large: 9999999.",
    }
    (error,) = ask_in_turn(settings_of(openai_server, generation_config={"max_tokens": 9999999}))
    assert isinstance(error, RejectedRequestError)
    assert len(openai_server.chats) == 2


@pytest.mark.parametrize("text", ["System role not supported", "Conversation roles must alternate user/assistant/user"])
def test_a_model_without_system_role_reads_it_from_the_user(openai_server: OpenAIServer, text: str) -> None:
    openai_server.fault("status", status=400, message=text, when=lambda body: body["messages"][0]["role"] == "system")
    for structure in ("auto", "text"):
        first, second = ask_in_turn(settings_of(openai_server, structure=structure), 2)
        assert isinstance(first, Answer)
        assert isinstance(second, Answer)
        assert first.value == second.value == VALUE
    roles = [[message["role"] for message in request.body["messages"]] for request in openai_server.chats]
    assert roles == [["system", "user"], ["user"], ["user"]] * 2
    assert openai_server.chats[1].body["messages"][0]["content"] == f"{SYSTEM.content}\n\n{messages(0)[1].content}"


def test_a_conversation_is_sent_in_order(openai_server: OpenAIServer) -> None:
    """What the retry layer appends: the wrong answer, and what is wrong with it."""
    said = (
        *messages(),
        Message(role="assistant", content="nonsense"),
        Message(role="user", content="That answer cannot be used."),
    )

    async def main() -> Answer:
        chat = OpenAIChat(settings_of(openai_server))
        answer = await chat.ask(said, SCHEMA)
        await chat.aclose()
        return answer

    assert asyncio.run(main()).value == VALUE
    assert [m["role"] for m in openai_server.chats[0].body["messages"]] == ["system", "user", "assistant", "user"]
