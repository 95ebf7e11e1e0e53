"""`defused`: JSON in which no text holds a mark by which chat templates end a turn."""

from __future__ import annotations

import re

# Servers and local models put a conversation into one text, and their tokenizers read "<|im_end|>" as the end of the
# message wherever it stands: inside a JSON string too. Families: ChatML and Llama 3, DeepSeek, Llama 2 and Mistral,
# Gemma, Qwen and other models that reason, GLM.
_MARK = re.compile(
    r"[<\[](?="
    r"[|｜]|</?SYS>>"
    r"|/?(?:s|think|thinking|tool_call|tool_response|start_of_turn|end_of_turn|bos|eos|pad|unk|mask|sop|eop)>"
    r"|/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|gMASK)\]"
    r")"
)

_HINTS = ("<", "INST]", "SYSTEM_PROMPT]", "AVAILABLE_TOOLS]", "TOOL_CALLS]", "TOOL_RESULTS]", "TOOL_CONTENT]", "gMASK]")
"""Looking for these takes a microsecond, the expression a hundred; most texts hold none of them."""


def defused(written: str) -> str:
    r"""The same JSON, with the first character of each mark as an escape: `\u003c|im_end|>`.

    Args:
        written: JSON. Outside of its strings there is neither a mark nor a part of one.
    """
    if not any(hint in written for hint in _HINTS):
        return written
    return _MARK.sub(lambda mark: f"\\u{ord(mark[0]):04x}", written)
