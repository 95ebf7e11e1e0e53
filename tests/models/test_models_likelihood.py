"""The likelihood critic: how it is configured, and how it reads."""

from __future__ import annotations

import asyncio
import math
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from local_models.random_lm import tiny_model, tiny_tokenizer

from pytest_ragas.errors import ConfigurationError, ModelError, RejectedRequestError, UnknownNameError
from pytest_ragas.models.build import build_llm
from pytest_ragas.models.local import prefix_reader
from pytest_ragas.models.local.likelihood import CausalLikelihoods
from pytest_ragas.models.local.likelihood_text import Texts, pieces_of
from pytest_ragas.models.local.prefix_reader import PrefixReader, Suffix, batches
from pytest_ragas.protocols import LLM, LikelihoodCritic
from pytest_ragas.settings.values import ModelSettings
from pytest_ragas.values.likelihood import Likelihood

KIND = {"kind": "likelihood"}
CONTEXT = "Returns are accepted within 30 days. Refunds take 5 days."
QUESTION = "How long may I return it?"


def needs(*libraries: str) -> Any:
    """Skips a test where the extra is not installed."""
    missing = []
    for library in libraries:
        try:
            __import__(library)
        except ModuleNotFoundError:
            missing.append(library)
    return pytest.mark.skipif(bool(missing), reason=f"the extra [local] is not installed: no {', '.join(missing)}")


needs_torch = needs("torch", "transformers")


# ---- settings -----------------------------------------------------------------------------------


def test_a_kind_makes_a_critic_that_is_no_llm() -> None:
    critic = build_llm(ModelSettings(model_name_or_path="some/model", options={**KIND, "dtype": "float32"}))
    assert isinstance(critic, LikelihoodCritic)
    assert not isinstance(critic, LLM)
    # known without weights, and without what does not change the numbers
    assert critic.identity.to_json() == {
        "provider": "likelihood",
        "name": "some/model",
        "endpoint": "",
        "parameters": {"dtype": '"float32"'},
    }


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model_name_or_path": "a/b", "options": {"kind": "likelyhood"}}, "kind 'likelyhood'.*likelihood"),
        ({"model_name_or_path": "embedded", "options": KIND}, 'needs a language model, and "embedded" is none'),
        ({"model_name_or_path": "minilm", "options": KIND}, '"minilm" is an embedding model and cannot judge'),
        ({"model_name": "a", "api_base": "http://127.0.0.1:9/v1", "options": KIND}, "reads a local model"),
        ({"model_name_or_path": "a/b", "template_type": "qwen", "options": KIND}, "template_type has no use"),
        ({"model_name_or_path": "a/b", "generation_config": {"top_p": 1}, "options": KIND}, "generation_config has no"),
        ({"model_name_or_path": "a/b", "options": {**KIND, "devise": "cpu"}}, "devise"),
    ],
)
def test_settings_that_make_no_likelihood_critic(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        build_llm(ModelSettings(**settings))


def test_an_unknown_kind_lists_the_known_ones() -> None:
    with pytest.raises(UnknownNameError) as caught:
        build_llm(ModelSettings(model_name_or_path="a/b", options={"kind": "vibes"}))
    assert "llm" in str(caught.value)
    assert "likelihood" in str(caught.value)


def test_building_it_imports_nothing_heavy() -> None:
    program = """
import sys
from pytest_ragas.models.build import build_llm
from pytest_ragas.settings.values import ModelSettings
critic = build_llm(ModelSettings(model_name_or_path="smollm2", options={"kind": "likelihood"}))
print(critic.identity, sorted({"torch", "transformers", "numpy", "tokenizers"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("smollm2 []\n", "")


# ---- arithmetic ---------------------------------------------------------------------------------


def test_suffixes_are_read_with_others_of_their_length(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = [9, 2, 8, 3, 40, 2]
    suffixes = [Suffix(ids=(1,) * length, start=1, stop=length) for length in lengths]
    monkeypatch.setattr(prefix_reader, "SCORED_TOKENS", 20)
    assert list(batches(suffixes, prefix=10)) == [[1, 5, 3], [2, 0], [4]]
    monkeypatch.setattr(prefix_reader, "SCORED_TOKENS", 10_000)
    monkeypatch.setattr(prefix_reader, "ROW_TOKENS", 220)
    assert list(batches(suffixes, prefix=100)) == [[1, 5], [3, 2], [0], [4]]
    assert list(batches([], prefix=100)) == []


@pytest.mark.parametrize(
    ("ends", "pieces"),
    [
        ([3, 6, 7], ("It", " is", ".")),
        ([1, 3, 6, 7], ("", "It", " is", ".")),  # the space before it is a token of its own
        ([3, 3, 7], ("It", "", " is.")),  # two tokens of one character
        ([3, 6], ("It", " is.")),  # a tokenizer that leaves something out
    ],
)
def test_pieces_join_to_the_statement(ends: list[int], pieces: tuple[str, ...]) -> None:
    assert pieces_of(" It is.", ends) == pieces
    assert "".join(pieces) == "It is."


# ---- a tiny model -------------------------------------------------------------------------------


def whole(model: Any, ids: Sequence[int]) -> list[float]:
    """Log-probability of every token but the first, in one pass over everything."""
    import torch

    with torch.inference_mode():
        said = torch.log_softmax(model(input_ids=torch.tensor([list(ids)])).logits[0].float(), dim=-1)
    return [float(said[place, token]) for place, token in enumerate(ids[1:])]


@needs_torch
@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("Llama", {}),
        ("Mistral", {"sliding_window": 8}),  # forgets what lies further back
        ("Gemma2", {"sliding_window": 8, "final_logit_softcapping": 5.0, "query_pre_attn_scalar": 8}),
    ],
)
def test_reading_behind_a_prefix_is_reading_the_whole(
    kind: str, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prefix_reader, "CHUNK", 7)
    monkeypatch.setattr(prefix_reader, "SCORED_TOKENS", 30)
    model = tiny_model(kind, **config)
    prefix = [(7 * number) % 250 for number in range(23)]
    suffixes = [
        Suffix(
            ids=tuple((11 * row + 5 * place) % 250 for place in range(size)),
            start=2,
            stop=size - row,
            odds=((3, 4), (5,)),
        )
        for row, size in enumerate((6, 19, 9, 7, 12))
    ]
    readings = PrefixReader(model, device="cpu", pad=258).read(prefix, suffixes)
    assert readings is not None
    for suffix, reading in zip(suffixes, readings, strict=True):
        said = whole(model, [*prefix, *suffix.ids])
        wanted = said[len(prefix) - 1 :][suffix.start : suffix.stop]
        assert reading.logprobs == pytest.approx(wanted, abs=2e-4)
        odds = [whole(model, [*prefix, *suffix.ids, token])[-1] for token in (3, 4, 5)]
        expected = math.log(math.exp(odds[0]) + math.exp(odds[1])) - odds[2]
        assert reading.odds == pytest.approx(expected, abs=2e-4)


@needs_torch
def test_what_is_not_asked_for_any_more_is_not_read() -> None:
    model, passes = tiny_model(), []
    reader = PrefixReader(lambda **given: passes.append(given), device="cpu", pad=258)
    reader._model.config = model.config  # type: ignore[attr-defined]
    assert reader.read([1] * 2000, [Suffix(ids=(1, 2), start=1, stop=2)], go_on=lambda: len(passes) < 2) is None
    assert len(passes) == 2


@needs_torch
@pytest.mark.parametrize("chat", [True, False])
def test_how_texts_are_put_to_the_model(chat: bool) -> None:
    tokenizer = tiny_tokenizer(chat=chat)
    texts = Texts(tokenizer)

    def said(context: str | None, question: str, yes_no: bool) -> tuple[str, str]:
        read = texts.statement("Größe: 5 m.", question, yes_no=yes_no)
        assert "".join(read.pieces) == "Größe: 5 m."
        suffix = read.suffix
        assert tokenizer.decode(suffix.ids[suffix.start : suffix.stop]) == " Größe: 5 m."
        return tokenizer.decode(texts.beginning(context, question, yes_no=yes_no)), tokenizer.decode(suffix.ids)

    assert said("C", "Q?", False) == ("Document: C\n\nQuestion: Q?", "\nAnswer: Größe: 5 m.")
    assert said(None, "Q?", False) == ("Question: Q?", "\nAnswer: Größe: 5 m.")
    assert said("C", "", False) == ("Document: C\n\nA statement.", "\nStatement: Größe: 5 m.")
    before, behind = ("<s>", "</s>") if chat else ("", "\nReply:")
    asked = "\n\nIs the answer fully supported by the document? Answer Yes or No."
    assert said("C", "Q?", True) == (f"{before}Document: C\n\nQuestion: Q?", f"\nAnswer: Größe: 5 m.{asked}{behind}")


class Watched:
    """A model that counts its passes, and lets a test act in the middle of them."""

    def __init__(self, model: Any, during: Callable[[int], None] = lambda number: None) -> None:
        self._model, self._during = model, during
        self.config, self.forward = model.config, model.forward
        self.passes = 0
        self.beginnings = 0

    def __call__(self, **given: Any) -> Any:
        self.passes += 1
        self.beginnings += given["logits_to_keep"] == 1
        self._during(self.passes)
        return self._model(**given)


def critic_of(model: Any, *, context_length: int = 512) -> CausalLikelihoods:
    loaded: Any = SimpleNamespace(
        model=model, tokenizer=tiny_tokenizer(), device="cpu", context_length=context_length, dtype="float32"
    )
    return CausalLikelihoods(ModelSettings(model_name_or_path="tiny", options=KIND), load=lambda settings: loaded)


@needs_torch
def test_requests_about_the_same_contexts_are_read_together() -> None:
    model = Watched(tiny_model())

    async def ask() -> list[Sequence[Likelihood]]:
        critic = critic_of(model)
        try:
            return await asyncio.gather(
                critic.likelihoods(["Within 30 days.", "Never."], context=CONTEXT, question=QUESTION),
                critic.likelihoods(["Something else."], context="Other.", question=QUESTION),
                critic.likelihoods(["Never.", "After 5 days."], context=CONTEXT, question=QUESTION),
            )
        finally:
            await critic.aclose()

    together, _, too = asyncio.run(ask())
    # two groups, each with the context and without it
    assert model.beginnings == 4
    assert together[1] == too[0]

    async def alone(statement: str) -> Likelihood:
        critic = critic_of(tiny_model())
        try:
            return (await critic.likelihoods([statement], context=CONTEXT, question=QUESTION))[0]
        finally:
            await critic.aclose()

    for read in (*together, *too):
        single = asyncio.run(alone(read.statement))
        assert read.given == pytest.approx(single.given, abs=2e-4)
        assert read.alone == pytest.approx(single.alone, abs=2e-4)
        assert single == asyncio.run(alone(read.statement))  # to the last bit


@needs_torch
def test_who_gives_up_is_not_read_for() -> None:
    started, goes_on = threading.Event(), threading.Event()

    def during(number: int) -> None:
        started.set()
        assert goes_on.wait(20)

    model = Watched(tiny_model(), during)

    async def ask() -> None:
        critic = critic_of(model)
        first = asyncio.ensure_future(critic.likelihoods(["A."], context=CONTEXT))
        while not started.is_set():
            await asyncio.sleep(0.005)
        second = asyncio.ensure_future(critic.likelihoods(["B."], context="Other."))
        await asyncio.sleep(0)
        for task in (first, second):
            task.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
        assert first.cancelled()
        assert second.cancelled()
        goes_on.set()
        third = await critic.likelihoods(["C."], context="Third.")
        assert len(third) == 1
        await critic.aclose()

    asyncio.run(ask())
    # one pass for the first, none for the second, four for the third
    assert model.passes == 5


@needs_torch
def test_closing_lets_nobody_wait() -> None:
    started, goes_on = threading.Event(), threading.Event()

    def during(number: int) -> None:
        started.set()
        assert goes_on.wait(20)

    async def ask() -> None:
        critic = critic_of(Watched(tiny_model(), during))
        waiting = [
            asyncio.ensure_future(critic.likelihoods(["A."], context=context)) for context in (CONTEXT, "Other.")
        ]
        while not started.is_set():
            await asyncio.sleep(0.005)
        closing = asyncio.ensure_future(critic.aclose())
        await asyncio.sleep(0.01)
        goes_on.set()
        await closing
        for told in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(told, ModelError)
            assert "tiny was closed before it answered" in str(told)
        with pytest.raises(ModelError, match="closed before it was asked"):
            await critic.likelihoods(["A."], context=CONTEXT)

    asyncio.run(ask())


@needs_torch
def test_what_is_longer_than_the_model_reads_is_not_cut() -> None:
    async def ask() -> list[Any]:
        critic = critic_of(tiny_model(), context_length=150)
        try:
            return await asyncio.gather(
                critic.likelihoods(["Short."], context=CONTEXT, question=QUESTION),
                critic.likelihoods(["Short.", "Long. " * 20], context=CONTEXT, question=QUESTION),
                return_exceptions=True,
            )
        finally:
            await critic.aclose()

    short, too_long = asyncio.run(ask())
    assert len(short) == 1  # the neighbour of the same contexts is read
    assert isinstance(too_long, RejectedRequestError)
    assert str(too_long) == (
        "The contexts and question are 104 tokens and the longest statement 129, but tiny reads 150 at most. Nothing "
        "was cut: retrieve fewer or shorter contexts, or take a model that reads more."
    )


@needs_torch
@pytest.mark.parametrize(
    ("raised", "message"),
    [
        (RuntimeError("CUDA out of memory. Tried to allocate"), "No memory is left to read with tiny. Take fewer"),
        (MemoryError(), "No memory is left"),
        (ValueError("shapes differ"), r"tiny failed while it read \(ValueError: shapes differ\)"),
    ],
)
def test_a_model_that_fails_fails_the_request_and_no_other(raised: Exception, message: str) -> None:
    def during(number: int) -> None:
        if number == 1:
            raise raised

    async def ask() -> None:
        critic = critic_of(Watched(tiny_model(), during))
        with pytest.raises(ModelError, match=message):
            await critic.likelihoods(["A."], context=CONTEXT)
        assert len(await critic.likelihoods(["A."], context=CONTEXT)) == 1
        await critic.aclose()

    asyncio.run(ask())


def test_a_model_that_cannot_be_loaded_is_looked_for_once() -> None:
    tries: list[ModelSettings] = []

    def load(settings: ModelSettings) -> Any:
        tries.append(settings)
        raise ConfigurationError("no such model")

    async def ask() -> None:
        critic = CausalLikelihoods(ModelSettings(model_name_or_path="tiny", options=KIND), load=load)
        assert await critic.likelihoods([], context=CONTEXT) == ()
        for _ in range(3):
            with pytest.raises(ConfigurationError, match="no such model"):
                await critic.likelihoods(["A."], context=CONTEXT)
        await critic.aclose()

    asyncio.run(ask())
    assert len(tries) == 1
