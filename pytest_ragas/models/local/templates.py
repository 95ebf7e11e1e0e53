"""Chat templates: how messages become the text that a model was trained to answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pytest_ragas.errors import ConfigurationError, RejectedRequestError, UnknownNameError, cut
from pytest_ragas.values.model import Message

# a template's last line break is dropped, unless it is the value of an expression
_CHATML: Final = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "<|im_start|>assistant{{ '\\n' }}"
)
_LLAMA3: Final = (
    "{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n{{ m.content | trim }}"
    "<|eot_id|>{% endfor %}<|start_header_id|>assistant<|end_header_id|>{{ '\\n\\n' }}"
)
_GEMMA: Final = (
    "{{ bos_token }}{% for m in messages %}<start_of_turn>{{ 'model' if m.role == 'assistant' else m.role }}\n"
    "{{ m.content | trim }}<end_of_turn>\n{% endfor %}<start_of_turn>model{{ '\\n' }}"
)
_MISTRAL: Final = (
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]"
    "{% else %} {{ m.content }}{{ eos_token }}{% endif %}{% endfor %}"
)
_PHI3: Final = "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}<|end|>\n{% endfor %}<|assistant|>{{ '\\n' }}"
_DEFAULT: Final = (
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'system' %}{{ m.content }}\n\n"
    "{% else %}### {{ 'Human' if m.role == 'user' else 'Assistant' }}:\n{{ m.content }}\n\n{% endif %}{% endfor %}"
    "### Assistant:{{ '\\n' }}"
)

TEMPLATES: Final[Mapping[str, str]] = {
    "chatml": _CHATML,
    "default": _DEFAULT,
    "gemma": _GEMMA,
    "llama3": _LLAMA3,
    "mistral": _MISTRAL,
    "phi3": _PHI3,
    "qwen": _CHATML,
}
"""What `template_type` may be. "default" is plain text, for models that were trained on no chat."""

_NO_SYSTEM: Final = frozenset({"gemma", "mistral"})
"""Templates without a place for instructions: they begin the first question."""


def check_template(template_type: str, *, where: str) -> None:
    """
    Raises:
        UnknownNameError: There is no such template.
    """
    if template_type and template_type not in TEMPLATES:
        raise UnknownNameError("template_type", template_type, TEMPLATES, where=where)


def prompt_tokens(tokenizer: Any, messages: Sequence[Message], template_type: str, *, name: str) -> list[int]:
    """The tokens of a conversation, up to where the answer begins.

    Args:
        tokenizer: Of transformers.
        messages: The conversation.
        template_type: One of `TEMPLATES`; empty for the tokenizer's own.
        name: The model's name, for messages.

    Raises:
        ConfigurationError: The tokenizer has no template, and none is named.
        RejectedRequestError: Its template does not take the conversation.
    """
    if not template_type and not getattr(tokenizer, "chat_template", None):
        raise ConfigurationError(
            f"The tokenizer of {name!r} has no chat template: it may be a base model, which was not taught to answer. "
            'Take the "instruct" or "chat" weights, or name a template: template_type = "default" is plain text. '
            f"Known: {', '.join(sorted(TEMPLATES))}."
        )
    special = [token.content for token in tokenizer.added_tokens_decoder.values() if token.special]
    said = [{"role": message.role, "content": _defused(message.content, special)} for message in messages]
    if template_type in _NO_SYSTEM:
        return _render(tokenizer, _without_system(said), template_type)
    try:
        return _render(tokenizer, said, template_type)
    except Exception as error:
        # templates of models without a system turn raise for one
        if said[0]["role"] != "system":
            raise _rejected(name, error) from error
        try:
            return _render(tokenizer, _without_system(said), template_type)
        except Exception:
            raise _rejected(name, error) from error


def _render(tokenizer: Any, messages: list[dict[str, str]], template_type: str) -> list[int]:
    given = {"chat_template": TEMPLATES[template_type]} if template_type else {}
    # thoughts have no place in an answer that is JSON from its first character on; other templates ignore the word
    text = tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, tokenize=False, enable_thinking=False, **given
    )
    tokens: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return tokens


def _defused(text: str, special: Sequence[str]) -> str:
    """A text in which no word of the template ends its own turn: a character of no width breaks it up."""
    for word in special:
        if word in text:
            text = text.replace(word, f"{word[0]}\u200b{word[1:]}")
    return text


def _without_system(messages: list[dict[str, str]]) -> list[dict[str, str]]:
    """Instructions as the beginning of the first question."""
    head, *rest = messages
    if head["role"] != "system" or not rest or rest[0]["role"] != "user":
        return messages
    return [{"role": "user", "content": f"{head['content']}\n\n{rest[0]['content']}"}, *rest[1:]]


def _rejected(name: str, error: Exception) -> RejectedRequestError:
    return RejectedRequestError(
        f"The chat template of {name!r} does not take this conversation ({cut(str(error), 160)}). Name another one: "
        f"template_type, one of {', '.join(sorted(TEMPLATES))}."
    )
