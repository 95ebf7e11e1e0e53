"""`TransformersLLM`: a critic or generator LLM that runs in this process."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from typing import Any

from pytest_ragas.errors import ModelError, RejectedRequestError, StructureError
from pytest_ragas.models.local.batch import Batch, Row
from pytest_ragas.models.local.grammar import Grammar
from pytest_ragas.models.local.known import KNOWN
from pytest_ragas.models.local.load import LoadedLM, check_options, given_identity, load_causal_lm, refuse_copies
from pytest_ragas.models.local.prefixes import Prefixes
from pytest_ragas.models.local.sampling import Sampling
from pytest_ragas.models.local.templates import check_template, prompt_tokens
from pytest_ragas.models.local.worker import Limits, Worker
from pytest_ragas.models.structured import RAW_LIMIT, Structure
from pytest_ragas.protocols import JSONSchema
from pytest_ragas.settings.values import ModelSettings
from pytest_ragas.values.model import Answer, Message, ModelIdentity, Usage

_ROWS = {"cpu": 16, "cuda": 64, "mps": 16}
"""Requests answered together where the settings do not say it."""


class TransformersLLM:
    """A causal LM of transformers whose answers always have the structure. Satisfies `LLM`.

    It is loaded when the first request comes, in a thread that also does all the computing; requests that come while
    others are being answered join them.
    """

    def __init__(self, settings: ModelSettings) -> None:
        """
        Args:
            settings: `model_name_or_path`, `template_type`, `generation_config`, and in `options` any of
                `load.OPTIONS`.

        Raises:
            ConfigurationError: A name or value that does not exist. The model itself is looked for later.
        """
        where = f"the settings of the local LLM {settings.model_name_or_path!r}"
        check_options(settings)
        check_template(settings.template_type, where=where)
        self._settings = settings
        self._name = settings.model_name_or_path
        self._sampling = Sampling.of(settings.generation_config, where=where)
        self._loaded: LoadedLM | None = None
        self._grammar: Grammar | None = None
        self._worker = Worker(self._load, name=self._name)

    @functools.cached_property
    def _identity(self) -> ModelIdentity:
        decides = {**self._sampling.parameters}
        if self._settings.template_type:
            decides["template_type"] = self._settings.template_type
        return given_identity(self._settings, decides)

    @property
    def identity(self) -> ModelIdentity:
        """Provider "transformers", the model as the settings name it, and what decides its answers."""
        return self._identity

    @property
    def notes(self) -> tuple[str, ...]:
        """What the summary says of the scores that it gave."""
        known = KNOWN.get(self._name)
        return (known.note,) if known else ()

    async def ask(self, messages: Sequence[Message], schema: JSONSchema) -> Answer:
        """Answer once, in the structure of `schema`.

        Raises:
            ConfigurationError: The model cannot be loaded.
            RejectedRequestError: The request is longer than the model's context, or has no room in memory.
            StructureError: The answer has no room in `max_tokens`.
        """
        structure = Structure.of(schema)
        row = await self._worker.ask(functools.partial(self._row, tuple(messages), structure))
        usage = Usage(calls=1, prompt_tokens=len(row.prompt), completion_tokens=len(row.guide.tokens))
        try:
            return Answer(value=self._value(row, structure), raw=row.guide.text, usage=usage)
        except StructureError as error:
            error.usage = usage
            raise

    async def aclose(self) -> None:
        """Let go of the model and its thread."""
        await self._worker.aclose()
        self._loaded = self._grammar = None

    def _value(self, row: Row, structure: Structure) -> Any:
        """
        Raises:
            StructureError: The answer is cut, in whole or in part.
        """
        text = row.guide.text
        if row.guide.shortened or not row.guide.done:
            raise StructureError(
                f"The answer of {self._name} ran into its limit of {row.guide.limit} tokens, and a part of it is "
                "missing. Raise max_tokens in generation_config, or take a larger model, which repeats itself less.",
                raw=text[:RAW_LIMIT],
                # a model that was told so would write as much again, and small ones copy what they are told
                final=True,
            )
        return structure.read(text)

    # what follows runs in the worker's thread only

    def _load(self) -> tuple[Batch, Limits]:
        refuse_copies(self._name)
        loaded = load_causal_lm(self._settings)
        self._grammar = Grammar(
            loaded.tokenizer, vocabulary=loaded.model.config.get_text_config().vocab_size, end=_ends(loaded)
        )
        self._loaded = loaded
        limits = _limits(loaded, self._settings.options.get("batch_size"))
        return Batch(loaded, self._grammar, self._sampling, Prefixes(limits.tokens // 4)), limits

    def _row(self, messages: Sequence[Message], structure: Structure) -> Row:
        loaded, grammar = self._loaded, self._grammar
        if loaded is None or grammar is None:
            raise ModelError(f"{self._name} was closed before it answered")
        prompt = prompt_tokens(loaded.tokenizer, messages, self._settings.template_type, name=self._name)
        room = loaded.context_length - len(prompt)
        if room <= 0:
            raise RejectedRequestError(
                f"The request has {len(prompt):,} tokens, and the context of {self._name} ends at "
                f"{loaded.context_length:,}. Nothing was cut, nothing was asked. Retrieve fewer or shorter contexts, "
                "or take a model with a longer context."
            )
        guide = grammar.start(structure, self._sampling.max_tokens, at_most=room)
        return Row(prompt, guide, self._sampling.generator)


def _ends(loaded: LoadedLM) -> list[int]:
    """The tokens that end an answer."""
    configured = getattr(loaded.model.generation_config, "eos_token_id", None)
    ends = configured if isinstance(configured, list) else [configured, loaded.tokenizer.eos_token_id]
    return sorted({end for end in ends if end is not None}) or [0]


def _limits(loaded: LoadedLM, rows: int | None) -> Limits:
    """How many requests the memory has room for, beside the weights."""
    text = loaded.model.config.get_text_config()
    heads = getattr(text, "num_key_value_heads", None) or text.num_attention_heads
    width = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    per_token = 2 * text.num_hidden_layers * heads * width * loaded.model.dtype.itemsize
    # a quarter: a step holds its keys and values twice while they grow, and others want memory too
    tokens = max(loaded.context_length, _free_bytes(loaded.device) // 4 // max(1, per_token))
    return Limits(rows=rows or _ROWS[loaded.device.partition(":")[0]], tokens=tokens)


def _free_bytes(device: str) -> int:
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows, macOS
        return 4 * 1024**3
