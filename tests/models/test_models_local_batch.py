"""A local LLM's mechanics, on random weights: batches, limits, cancelling, memory, random numbers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_ragas.errors import ConfigurationError, RejectedRequestError, StructureError
from pytest_ragas.models.build import build_llm
from pytest_ragas.models.local.llm import TransformersLLM
from pytest_ragas.protocols import JSONSchema
from pytest_ragas.settings.values import ModelSettings
from pytest_ragas.values.model import Answer, Message

TEXT: JSONSchema = {"type": "string"}
RULES = "Decide whether the context supports the statement. First the reason, then the verdict, 1 or 0."


def schema(**properties: JSONSchema) -> JSONSchema:
    return {
        "title": "Wanted",
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


VERDICT = schema(reason=TEXT, verdict={"type": "integer", "enum": [0, 1]})
TEXTS = schema(statements={"type": "array", "items": TEXT})
LONG = schema(text={"type": "string", "minLength": 2_500})
NUMBERS = schema(numbers={"type": "array", "items": {"type": "integer", "enum": [1, 2, 3]}}, note=TEXT)
REQUESTS = [
    ("The tower is in Paris.", VERDICT),
    ("The tower is very tall, made of iron, and visited by many.", VERDICT),
    ("Bananas.", VERDICT),
    ("A walk along the Seine, an ice cream, and then the museum.", TEXTS),
    ("x", NUMBERS),
    ("The tower is in Rome.", VERDICT),
]


def asked(text: str) -> tuple[Message, ...]:
    return Message(role="system", content=RULES), Message(role="user", content=text)


@pytest.fixture(autouse=True)
def _one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_XDIST_WORKER_COUNT", raising=False)


@pytest.fixture
def local(tiny_weights: Path) -> Callable[..., TransformersLLM]:
    def make(generation: dict[str, Any] | None = None, template_type: str = "", **options: Any) -> TransformersLLM:
        settings = ModelSettings(
            model_name_or_path=str(tiny_weights),
            template_type=template_type,
            generation_config={"max_tokens": 90, **(generation or {})},
            options={"dtype": "float32", "device": "cpu", "threads": 1, **options},
        )
        llm = build_llm(settings)
        assert isinstance(llm, TransformersLLM)
        return llm

    return make


def run(work: Awaitable[Any], *llms: TransformersLLM) -> Any:
    async def main() -> Any:
        try:
            return await asyncio.wait_for(work, 120)
        finally:
            for llm in llms:
                await llm.aclose()

    return asyncio.run(main())


async def together(llm: TransformersLLM, requests: Sequence[tuple[str, JSONSchema]]) -> list[str]:
    return [text_of(answer) for answer in await everything(llm, requests)]


async def everything(llm: TransformersLLM, requests: Sequence[tuple[str, JSONSchema]]) -> list[Any]:
    return await asyncio.gather(*(llm.ask(asked(text), wanted) for text, wanted in requests), return_exceptions=True)


def text_of(answer: Any) -> str:
    assert isinstance(answer, (Answer, StructureError)), answer
    return answer.raw


def test_together_is_the_same_as_one_by_one(local: Callable[..., TransformersLLM]) -> None:
    """Also where rows come and go, wait for each other's forced text, and read beginnings that others have read."""
    single, batch, three = local(), local(), local(batch_size=3)

    async def work() -> None:
        one_by_one = [(await together(single, [request]))[0] for request in REQUESTS]
        assert len(set(one_by_one)) > 3
        assert await together(batch, REQUESTS) == one_by_one
        assert await together(three, REQUESTS * 2) == one_by_one * 2

    run(work(), single, batch, three)


def test_a_request_joins_those_under_way(local: Callable[..., TransformersLLM]) -> None:
    alone, llm = local(), local()

    async def work() -> None:
        expected = await together(alone, REQUESTS)
        tasks = []
        for request in REQUESTS:
            tasks.append(asyncio.ensure_future(together(llm, [request])))
            await asyncio.sleep(0.01)
        assert [text for [text] in await asyncio.gather(*tasks)] == expected

    run(work(), alone, llm)


@pytest.mark.parametrize("max_tokens", [60, 75, 90])
def test_every_answer_is_valid_and_what_is_cut_is_an_error(
    local: Callable[..., TransformersLLM], max_tokens: int
) -> None:
    """Random weights never stop on their own. Explanations may be cut; a list or a text that was is no answer."""
    llm = local({"max_tokens": max_tokens})
    answers = run(everything(llm, REQUESTS), llm)
    for answer, (_, wanted) in zip(answers, REQUESTS, strict=True):
        value = json.loads(answer.raw)
        assert list(value) == list(wanted["properties"])
        if wanted is VERDICT:
            assert value["verdict"] in (0, 1)
            assert isinstance(answer, Answer)
            assert answer.value == value
            assert answer.usage.completion_tokens <= max_tokens
    cut = [answer for answer in answers if isinstance(answer, StructureError)]
    assert cut, "random weights end a list of texts on their own"
    assert f"ran into its limit of {max_tokens} tokens" in str(cut[0])
    assert "Raise max_tokens" in str(cut[0])
    assert cut[0].final, "asked again, it would be cut again"
    assert cut[0].usage.calls == 1  # type: ignore[attr-defined]


def test_verdicts_on_many_statements_keep_their_order_and_number(local: Callable[..., TransformersLLM]) -> None:
    count = 5
    item = schema(number={"type": "integer", "enum": list(range(1, count + 1))}, **VERDICT["properties"])
    wanted = schema(verdicts={"type": "array", "items": item, "minItems": count, "maxItems": count})
    llm = local({"max_tokens": 400})
    answer = run(llm.ask(asked("five statements"), wanted), llm)
    assert [verdict["number"] for verdict in answer.value["verdicts"]] == [1, 2, 3, 4, 5]
    # each reason has its share of the room
    assert all(len(verdict["reason"]) < 240 for verdict in answer.value["verdicts"])


def test_a_limit_that_no_answer_fits_into(local: Callable[..., TransformersLLM]) -> None:
    llm = local({"max_tokens": 8})
    with pytest.raises(RejectedRequestError, match=r"'Wanted' takes about \d+ tokens at least, but max_tokens = 8\."):
        run(llm.ask(asked("x"), VERDICT), llm)


def test_a_request_longer_than_the_context_is_refused_and_nothing_is_cut(
    local: Callable[..., TransformersLLM],
) -> None:
    llm = local(max_seq_length=512)
    long = "word " * 200

    async def work() -> list[Any]:
        return await asyncio.gather(
            llm.ask(asked(long), VERDICT), llm.ask(asked("short"), VERDICT), return_exceptions=True
        )

    refused, answer = run(work(), llm)
    assert isinstance(refused, RejectedRequestError)
    assert "The request has 1,1" in str(refused)
    assert "ends at 512. Nothing was cut" in str(refused)
    assert isinstance(answer, Answer)


def test_the_rest_of_the_context_is_the_limit(local: Callable[..., TransformersLLM]) -> None:
    llm = local({"max_tokens": 4_000}, max_seq_length=400)
    answer = run(llm.ask(asked("x"), VERDICT), llm)
    assert answer.usage.prompt_tokens + answer.usage.completion_tokens <= 400


def test_a_cancelled_request_makes_room(local: Callable[..., TransformersLLM]) -> None:
    llm = local({"max_tokens": 3_000}, batch_size=1)
    quick = schema(verdict={"type": "integer", "enum": [0, 1]})

    async def work() -> None:
        endless = asyncio.ensure_future(llm.ask(asked("x"), LONG))
        behind = asyncio.ensure_future(llm.ask(asked("y"), LONG))
        await asyncio.sleep(0.5)
        last = asyncio.ensure_future(llm.ask(asked("z"), quick))
        endless.cancel()
        behind.cancel()
        answer = await last
        assert answer.value["verdict"] in (0, 1)
        assert endless.cancelled()
        assert behind.cancelled()

    run(work(), llm)


def test_closing_ends_what_is_under_way(local: Callable[..., TransformersLLM]) -> None:
    llm = local({"max_tokens": 3_000})

    async def work() -> None:
        endless = asyncio.ensure_future(llm.ask(asked("x"), LONG))
        await asyncio.sleep(0.5)
        await llm.aclose()
        with pytest.raises(Exception, match="was closed before it answered"):
            await endless
        with pytest.raises(Exception, match="was closed before it was asked"):
            await llm.ask(asked("x"), LONG)

    run(work())


@pytest.fixture
def small_memory(tiny_weights: Path) -> Any:
    """The most rows that a step has room for, and how often there was none."""
    from pytest_ragas.models.local.load import load_causal_lm

    settings = ModelSettings(model_name_or_path=str(tiny_weights), options={"dtype": "float32", "device": "cpu"})
    loaded = load_causal_lm(settings)
    real = loaded.model.forward
    memory = {"rows": 2, "refused": 0, "settings": settings, "loaded": loaded}

    def forward(*args: Any, input_ids: Any, **given: Any) -> Any:
        if input_ids.shape[0] > memory["rows"]:
            memory["refused"] += 1
            raise RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory")
        return real(*args, input_ids=input_ids, **given)

    loaded.model.forward = forward
    yield memory
    loaded.model.forward = real


def test_without_memory_fewer_are_answered_together(
    local: Callable[..., TransformersLLM], small_memory: dict[str, Any]
) -> None:
    expecting = local()
    small_memory["rows"] = 100
    expected = run(together(expecting, REQUESTS), expecting)
    small_memory["rows"] = 2
    llm = build_llm(small_memory["settings"])
    limited = TransformersLLM(
        ModelSettings(
            model_name_or_path=small_memory["settings"].model_name_or_path,
            generation_config={"max_tokens": 90},
            options=small_memory["settings"].options,
        )
    )
    assert run(together(limited, REQUESTS), limited, llm) == expected  # type: ignore[arg-type]
    assert small_memory["refused"] >= 1


def test_without_memory_for_one_request_it_says_what_helps(small_memory: dict[str, Any]) -> None:
    small_memory["rows"] = 0
    llm = TransformersLLM(small_memory["settings"])
    with pytest.raises(RejectedRequestError, match=r"no memory left for one request.*smaller model.*vLLM"):
        run(llm.ask(asked("x"), VERDICT), llm)


def test_a_seed_makes_a_request_reproducible_whatever_it_is_answered_with(
    local: Callable[..., TransformersLLM],
) -> None:
    sampled = {"temperature": 1.0, "top_p": 0.95, "top_k": 40, "seed": 7}
    alone, batch, other = local(sampled), local(sampled), local({**sampled, "seed": 8})

    async def work() -> None:
        one_by_one = [(await together(alone, [request]))[0] for request in REQUESTS[:3]]
        assert (await together(batch, REQUESTS))[:3] == one_by_one
        assert await together(other, REQUESTS[:3]) != one_by_one

    run(work(), alone, batch, other)


def test_without_a_seed_every_answer_is_another(local: Callable[..., TransformersLLM]) -> None:
    llm = local({"temperature": 1.0})
    assert len(set(run(together(llm, REQUESTS[:1] * 4), llm))) > 1


def test_repetition_penalty_reaches_the_choice(local: Callable[..., TransformersLLM]) -> None:
    plain, penalised = local(), local({"repetition_penalty": 5.0})
    assert run(together(plain, REQUESTS[:2]), plain) != run(together(penalised, REQUESTS[:2]), penalised)


def test_a_template_is_another_prompt(local: Callable[..., TransformersLLM]) -> None:
    llms = [local(), local(template_type="qwen"), local(template_type="default")]
    own, qwen, default = [run(llm.ask(asked("x"), VERDICT), llm) for llm in llms]
    assert own.raw == qwen.raw  # the tokenizer's own is ChatML too
    assert own.usage.prompt_tokens != default.usage.prompt_tokens


def other_weights(tiny_weights: Path, folder: Path, model: str, **config: Any) -> str:
    """Random weights of another architecture, with the same tokenizer."""
    import transformers

    made = transformers.AutoConfig.for_model(
        model, vocab_size=259, hidden_size=32, num_hidden_layers=2, eos_token_id=2, pad_token_id=0, **config
    )
    transformers.AutoModelForCausalLM.from_config(made).save_pretrained(folder)
    transformers.AutoTokenizer.from_pretrained(tiny_weights).save_pretrained(folder)
    return str(folder)


def test_a_sliding_window_slides_alike_alone_and_together(tiny_weights: Path, tmp_path: Path) -> None:
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 64}
    folder = other_weights(
        tiny_weights, tmp_path, "mistral", sliding_window=40, max_position_embeddings=2_048, bos_token_id=None, **heads
    )
    settings = ModelSettings(
        model_name_or_path=folder,
        generation_config={"max_tokens": 90},
        options={"dtype": "float32", "device": "cpu", "threads": 1},
    )
    alone, batch = TransformersLLM(settings), TransformersLLM(settings)

    async def work() -> None:
        one_by_one = [(await together(alone, [request]))[0] for request in REQUESTS]
        assert await together(batch, REQUESTS) == one_by_one

    run(work(), alone, batch)


def test_a_model_with_a_running_state_is_refused(tiny_weights: Path, tmp_path: Path) -> None:
    folder = other_weights(tiny_weights, tmp_path, "mamba", state_size=4, bos_token_id=None)
    llm = TransformersLLM(ModelSettings(model_name_or_path=folder, options={"device": "cpu"}))
    with pytest.raises(ConfigurationError, match=r"MambaForCausalLM\) has (layers of|a running).*Serve it with vLLM"):
        run(llm.ask(asked("x"), VERDICT), llm)


def test_one_instance_serves_all(tiny_weights: Path) -> None:
    from pytest_ragas.models.local.load import load_causal_lm

    settings = ModelSettings(model_name_or_path=str(tiny_weights), options={"dtype": "float32", "device": "cpu"})
    loaded = load_causal_lm(settings)
    assert load_causal_lm(settings) is loaded
    assert (loaded.device, loaded.dtype, loaded.context_length) == ("cpu", "float32", 4_096)
    parameters = dict(loaded.identity.parameters)
    assert parameters["dtype"] == '"float32"'
    assert len(parameters["weights"]) == 66
    other = load_causal_lm(ModelSettings(model_name_or_path=str(tiny_weights), options={"dtype": "bfloat16"}))
    assert other is not loaded


def test_xdist_workers_do_not_each_load_it(
    local: Callable[..., TransformersLLM], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "4")
    llm = local()
    with pytest.raises(ConfigurationError, match=r"would be loaded 4 times.*Run with -n 0"):
        run(llm.ask(asked("x"), VERDICT), llm)


def test_a_model_that_cannot_be_loaded_fails_every_request(local: Callable[..., TransformersLLM]) -> None:
    llm = local(device="cuda:7")

    async def work() -> None:
        for _ in range(2):
            with pytest.raises(ConfigurationError, match=r"This machine has no device 'cuda:7'; torch sees cpu"):
                await llm.ask(asked("x"), VERDICT)

    run(work(), llm)


def test_without_llguidance_the_command_is_named(
    local: Callable[..., TransformersLLM], monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "llguidance", None)
    monkeypatch.delitem(sys.modules, "llguidance.hf", raising=False)
    llm = local()
    with pytest.raises(ConfigurationError, match=r"needs llguidance.*pip install 'pytest-ragas\[local\]'"):
        run(llm.ask(asked("x"), VERDICT), llm)


def test_a_long_pass_ends_before_its_next_layer() -> None:
    """Ctrl-C would wait for it, or become a crash: a pass of a large model takes many seconds."""
    pytest.importorskip("torch", reason="the extra [local] is not installed")
    import torch
    from local_models.random_lm import tiny_model

    from pytest_ragas.models.local import stopping

    model, seen, told = tiny_model(), [], []
    model.model.layers[0].register_forward_hook(lambda *_: told.append(True))
    model.model.layers[1].register_forward_hook(lambda *_: seen.append(1))
    stopping.let_stop(model)
    ids = torch.tensor([[1, 2, 3]])
    try:
        stopping.stop_when(lambda: bool(told))
        with torch.inference_mode(), pytest.raises(stopping.StoppedError):
            model(input_ids=ids)
        assert (len(told), seen) == (1, []), "the second layer was not begun"
    finally:
        stopping.stop_when(lambda: False)
    with torch.inference_mode():
        model(input_ids=ids)
    assert seen == [1]
