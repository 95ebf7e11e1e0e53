"""`Grammar`: which tokens keep an answer inside its JSON schema, step by step. The one module that uses llguidance.

An answer that nears its last token is wound up: texts and lists end as soon as the schema lets them. What the model
would not have ended is noted, so that nothing is cut in silence; verdicts and other choices stay the model's own.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

from pytest_ragas.errors import ConfigurationError, MissingExtraError, RejectedRequestError, cut
from pytest_ragas.models.local.bounds import EXPLANATIONS, bounded, shortest
from pytest_ragas.models.structured import Structure

_COMPILED = 64
_USUAL = 1_024
"""Tokens that an answer may have where the settings do not say it."""
_SPARE = 12
"""Tokens beyond the shortest value: a text that is being written, a character of several tokens."""
_OPTIONS = {"item_separator": ", ", "key_separator": ": ", "whitespace_flexible": False, "lenient": True}


class Grammar:
    """JSON schemas over the vocabulary of one tokenizer."""

    def __init__(self, tokenizer: Any, *, vocabulary: int, end: Sequence[int]) -> None:
        """
        Args:
            tokenizer: Of transformers, a fast one.
            vocabulary: Columns of the model's logits.
            end: Tokens that end an answer.

        Raises:
            MissingExtraError: llguidance is not installed.
            ConfigurationError: The tokenizer is of a kind that cannot be read.
        """
        try:
            hf: Any = importlib.import_module("llguidance.hf")
        except ModuleNotFoundError:
            raise MissingExtraError("The structure of a local LLM's answers", "llguidance", "local") from None
        self._library: Any = importlib.import_module("llguidance")
        try:
            self._tokens = hf.from_tokenizer(tokenizer, n_vocab=vocabulary, eos_token=list(end))
        except (ValueError, TypeError, RuntimeError) as error:
            raise ConfigurationError(
                f"The tokenizer {type(tokenizer).__name__} cannot be constrained to JSON ({cut(str(error), 160)}). "
                "Take a model that comes with a tokenizer.json."
            ) from error
        self.words = (self._tokens.vocab_size + 31) // 32
        """32-bit words of a mask."""
        self._compiled: dict[tuple[str, int], Any] = {}
        self._leasts: dict[str, int] = {}

    def start(self, structure: Structure, max_tokens: int | None, *, at_most: int) -> Guide:
        """A guide for one answer.

        Args:
            structure: What it must be.
            max_tokens: Tokens that it may have; None for 1,024, or more where the structure is large.
            at_most: Tokens that there is room for.

        Raises:
            RejectedRequestError: The schema cannot be used, or even the shortest answer has no room.
        """
        least = self._least(structure)
        limit = min(max(_USUAL, 3 * least) if max_tokens is None else max_tokens, at_most)
        if least > limit:
            what = f"max_tokens = {max_tokens}" if max_tokens == limit else f"there is room for {at_most}"
            title = structure.schema.get("title", "that is asked for")
            raise RejectedRequestError(
                f"An answer in the structure {title!r} takes about {least} tokens at least, but {what}. "
                "Raise max_tokens in generation_config, or take a model with a longer context."
            )
        key = (structure.text, limit)
        if key not in self._compiled:
            if len(self._compiled) >= _COMPILED:
                self._compiled.clear()
            self._compiled[key] = self._compile(structure, limit)
        return Guide(self, self._compiled[key].deep_copy(), limit=limit, least=least)

    def _least(self, structure: Structure) -> int:
        """Tokens of the shortest answer, about."""
        if structure.text not in self._leasts:
            text = json.dumps(shortest(structure.schema), ensure_ascii=False)
            self._leasts[structure.text] = len(self._tokens.tokenize_str(text)) + _SPARE
        return self._leasts[structure.text]

    def _compile(self, structure: Structure, limit: int) -> Any:
        schema = bounded(structure.schema, limit)
        matcher_class = self._library.LLMatcher
        matcher = matcher_class(
            self._tokens, matcher_class.grammar_from_json_schema(json.dumps(schema), overrides=_OPTIONS), log_level=0
        )
        if matcher.is_error():
            raise RejectedRequestError(
                f"The schema {structure.schema.get('title', '')!r} cannot be made into a grammar: "
                f"{cut(matcher.get_error())}"
            )
        return matcher

    def one(self, character: str) -> int:
        """The token of a single character."""
        tokens: list[int] = self._tokens.tokenize_bytes(character.encode())
        return tokens[0]

    def bytes_of(self, tokens: Iterable[int]) -> bytes:
        """What tokens stand for."""
        found: bytes = self._tokens.decode_bytes(list(tokens))
        return found


class Guide:
    """One answer under way."""

    def __init__(self, grammar: Grammar, matcher: Any, *, limit: int, least: int) -> None:
        self._grammar = grammar
        self._matcher = matcher
        self._fresh = matcher.deep_copy()
        self.limit = limit
        """Tokens that it may have."""
        self._least = least
        self._begin()

    def _begin(self) -> None:
        self.tokens: list[int] = []
        """The answer so far."""
        self.shortened = False
        """Whether a text or list that is no explanation was ended before the model would have."""
        self._state = _State()
        self._ends: list[int] = []

    def restart(self) -> None:
        """As if nothing had been written."""
        self._matcher = self._fresh.deep_copy()
        self._begin()

    @property
    def done(self) -> bool:
        """Whether the value is complete."""
        return bool(self._matcher.is_stopped())

    @property
    def full(self) -> bool:
        """Whether the answer has as many tokens as it may have."""
        return len(self.tokens) >= self.limit

    @property
    def text(self) -> str:
        """The answer as text."""
        return self._grammar.bytes_of(self.tokens).decode("utf-8", "replace")

    def write_mask(self, address: int, words: int) -> None:
        """Write which tokens may come next, one bit each, to memory of `words` 32-bit words."""
        self._matcher.unsafe_compute_mask_ptr(address, words * 4)

    def ends(self, is_allowed: Any) -> list[int]:
        """The tokens to which the next one is restricted, as the answer has to end; none while there is room.

        Args:
            is_allowed: Token to whether the grammar allows it next.
        """
        self._ends = []
        if self.limit - len(self.tokens) <= self._least:
            for characters in self._state.endings():
                found = [token for token in map(self._grammar.one, characters) if is_allowed(token)]
                if found:
                    self._ends = found
                    break
        return self._ends

    def take(self, token: int, *, wanted: int) -> None:
        """Append a token.

        Args:
            token: What was chosen.
            wanted: What would have been, had the answer not had to end.
        """
        if self._ends and not self._same_end(wanted) and not self._state.explains:
            self.shortened = True
        self._append([token])

    def take_forced(self) -> list[int]:
        """Append what cannot be otherwise: property names, brackets, separators."""
        if self.done:
            return []
        forced: list[int] = self._matcher.compute_ff_tokens()[: max(0, self.limit - len(self.tokens))]
        if forced:
            self._append(forced)
        return forced

    def _same_end(self, wanted: int) -> bool:
        """Whether the model wanted to end it too, by a token that goes on after the end or not."""
        text = self._grammar.bytes_of([wanted])
        return any(text.startswith(self._grammar.bytes_of([end])) for end in self._ends)

    def _append(self, tokens: Sequence[int]) -> None:
        if not self._matcher.consume_tokens(list(tokens)):
            raise RejectedRequestError(f"The grammar of the answer broke off: {cut(self._matcher.get_error())}")
        self.tokens.extend(tokens)
        self._state.read(self._grammar.bytes_of(tokens))


class _State:
    """Where in a JSON text its last character stands."""

    def __init__(self) -> None:
        self._in_text = False
        self._escaped = False
        self._string = bytearray()
        self._key = b""
        self._last = 0

    @property
    def explains(self) -> bool:
        """Whether what is being written is the value of an explanation."""
        return self._key.decode("utf-8", "replace").lower() in EXPLANATIONS

    def endings(self) -> tuple[str, ...]:
        """Characters that end what is open, the best first."""
        if self._in_text:
            return ('"',)
        is_number = 0x30 <= self._last <= 0x39
        return ("]}", "," if is_number else '"')

    def read(self, text: bytes) -> None:
        for byte in text:
            if self._in_text:
                if self._escaped:
                    self._escaped = False
                elif byte == 0x5C:  # a backslash
                    self._escaped = True
                elif byte == 0x22:  # a quote
                    self._in_text = False
                if self._in_text:
                    self._string.append(byte)
            elif byte == 0x22:
                self._in_text, self._string = True, bytearray()
            elif byte == 0x3A:  # a colon: what came before it is a property's name
                self._key = bytes(self._string)
            if byte > 0x20:
                self._last = byte
