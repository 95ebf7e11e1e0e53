"""`Texts`: how contexts, question and statement are put to a language model that only reads, as tokens.

```text
Document: <contexts>            | beginning, read once
                                |
Question: <question>            |
Answer: <statement>             | behind it, once for each statement; the tokens of <statement> are scored
```

Without the context the beginning is `Question: <question>` alone. Where "yes or no" is asked, the same stands in a
user's turn of the model's own chat template, the question whether the document supports the answer follows it, and what
is looked at is the first word of the reply.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pytest_ragas.errors import RejectedRequestError
from pytest_ragas.models.local.prefix_reader import Suffix

_ASK = "\n\nIs the answer fully supported by the document? Answer Yes or No."
_MARK = "\x00"


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """A statement as tokens."""

    suffix: Suffix
    pieces: tuple[str, ...]
    """The text of each scored token; they join to the statement."""

    @property
    def ids(self) -> tuple[int, ...]:
        """All tokens, what leads to the statement and what follows it included."""
        return self.suffix.ids


class Texts:
    """The texts of one model."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._chat: tuple[str, str] | None = _turn(tokenizer) if tokenizer.chat_template else None
        space = "" if self._chat else " "
        self._odds = (
            self._first_tokens([space + word for word in ("Yes", "yes", "YES")]),
            self._first_tokens([space + word for word in ("No", "no", "NO")]),
        )
        pad = tokenizer.pad_token_id
        self.filler: int = pad if pad is not None else self._odds[0][0]
        """A token that fills rows up."""

    def beginning(self, context: str | None, question: str, *, yes_no: bool) -> list[int]:
        """What stands before every statement.

        Args:
            context: None for the beginning without one.
            question: May be empty.
            yes_no: Whether the model is asked, too.
        """
        asked = f"Question: {question}" if question else "A statement."
        text = asked if context is None else f"Document: {context}\n\n{asked}"
        if yes_no and self._chat:
            return self._ids(self._chat[0] + text)  # the template holds what tokenizers put before a text
        ids: list[int] = self._tokenizer(text)["input_ids"]
        return ids

    def statement(self, text: str, question: str, *, yes_no: bool) -> Read:
        """A statement behind a beginning, with what leads to it.

        Raises:
            RejectedRequestError: The text has no tokens.
        """
        lead = self._ids("\nAnswer:" if question else "\nStatement:")
        ids, pieces = self._scored(text)
        if not ids:
            raise RejectedRequestError(f"The statement {text!r} has no tokens: there is nothing to read.")
        behind: list[int] = []
        if yes_no:
            behind = self._ids(_ASK + (self._chat[1] if self._chat else "\nReply:"))
        suffix = Suffix(
            ids=(*lead, *ids, *behind),
            start=len(lead),
            stop=len(lead) + len(ids),
            odds=self._odds if yes_no else None,
        )
        return Read(suffix=suffix, pieces=pieces)

    def _scored(self, text: str) -> tuple[list[int], tuple[str, ...]]:
        spaced = f" {text}"
        if not self._tokenizer.is_fast:
            ids = self._ids(spaced)
            return ids, tuple(self._tokenizer.decode([token]) for token in ids)
        read = self._tokenizer(spaced, add_special_tokens=False, return_offsets_mapping=True)
        return read["input_ids"], pieces_of(spaced, [end for _, end in read["offset_mapping"]])

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def _first_tokens(self, words: Sequence[str]) -> tuple[int, ...]:
        return tuple(sorted({self._ids(word)[0] for word in words}))


def pieces_of(text: str, ends: Sequence[int]) -> tuple[str, ...]:
    """The text of each token.

    Args:
        text: The whole, with one space before it that is left out of the first piece.
        ends: Where each token ends; several tokens may share one character, of which the first gets all.
    """
    pieces, start = [], 1
    for number, end in enumerate(ends, 1):
        end = len(text) if number == len(ends) else max(start, end)
        pieces.append(text[start:end])
        start = end
    return tuple(pieces)


def _turn(tokenizer: Any) -> tuple[str, str]:
    """What stands before and behind a user's words."""
    message = [{"role": "user", "content": _MARK}]
    text: str = tokenizer.apply_chat_template(message, add_generation_prompt=True, tokenize=False)
    before, _, behind = text.partition(_MARK)
    return before, behind
