"""A causal LM of random weights in memory, of several architectures, and its tokenizer of bytes."""

from __future__ import annotations

from typing import Any


def tiny_model(kind: str = "Llama", **config: Any) -> Any:
    import torch
    import transformers

    torch.manual_seed(3)
    sizes = {
        "vocab_size": 259,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "max_position_embeddings": 512,
        "initializer_range": 0.4,
        "bos_token_id": 256,
        "eos_token_id": 257,
        "pad_token_id": 258,
    }
    made = getattr(transformers, f"{kind}Config")(**{**sizes, **config})
    return getattr(transformers, f"{kind}ForCausalLM")(made).eval()


def tiny_tokenizer(*, chat: bool = True) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: number for number, letter in enumerate([*alphabet, "<s>", "</s>", "<pad>"])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>")
    if chat:
        fast.chat_template = "{% for message in messages %}<s>{{ message.content }}</s>{% endfor %}"
    return fast
