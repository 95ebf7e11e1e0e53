"""A causal LM of 20,000 parameters: as a folder of safetensors that needs no library, and as a GGUF file."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HIDDEN, LAYERS, HEADS, KV_HEADS, FEED_FORWARD = 32, 2, 4, 2, 64

CONFIG: Mapping[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": HIDDEN,
    "intermediate_size": FEED_FORWARD,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "num_key_value_heads": KV_HEADS,
    "vocab_size": 261,
    "max_position_embeddings": 128,
    "tie_word_embeddings": True,
}


def byte_tokens() -> list[str]:
    """The 256 byte tokens of a byte-level tokenizer, two merged ones, and three special ones."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    names = {byte: chr(byte) for byte in printable}
    rest = (byte for byte in range(256) if byte not in names)
    names.update({byte: chr(256 + number) for number, byte in enumerate(rest)})
    return [names[byte] for byte in range(256)] + ["ab", "cd", "<|start|>", "<|end|>", "<|unknown|>"]


def safetensors(tensors: Mapping[str, int]) -> bytes:
    """A file of that format with tensors of zeros; `tensors` are names and numbers of float32 values."""
    header, offset = {}, 0
    for name, length in tensors.items():
        header[name] = {"dtype": "F32", "shape": [length], "data_offsets": [offset, offset + 4 * length]}
        offset += 4 * length
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(offset)


def write_folder(folder: Path, **config: Any) -> Path:
    """A folder that looks like a causal LM to whoever does not load it."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.joinpath("config.json").write_text(json.dumps({**CONFIG, **config}))
    folder.joinpath("tokenizer.json").write_text("{}")
    folder.joinpath("model.safetensors").write_bytes(safetensors({"a": 10, "b": 20}))
    return folder


def write_gguf(file: Path, *, architecture: str = "llama", seed: int = 1) -> Path:
    """A GGUF file with random weights that transformers loads. Needs the library gguf."""
    import gguf
    import numpy

    writer = gguf.GGUFWriter(file, architecture)
    writer.add_context_length(128)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10_000.0)
    writer.add_vocab_size(261)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(byte_tokens())
    writer.add_token_types([1] * 258 + [3] * 3)
    writer.add_token_merges(["a b", "c d"])  # transformers before 5 reads a list of one item as that item
    writer.add_bos_token_id(258)
    writer.add_eos_token_id(259)
    writer.add_unk_token_id(260)
    writer.add_pad_token_id(259)
    writer.add_chat_template("{% for message in messages %}<|start|>{{ message.content }}<|end|>{% endfor %}")
    chance = random.Random(seed)
    kv = HIDDEN // HEADS * KV_HEADS
    shapes = {"token_embd.weight": (261, HIDDEN), "output_norm.weight": (HIDDEN,)}
    for layer in range(LAYERS):
        shapes |= {
            f"blk.{layer}.attn_norm.weight": (HIDDEN,),
            f"blk.{layer}.ffn_norm.weight": (HIDDEN,),
            f"blk.{layer}.attn_q.weight": (HIDDEN, HIDDEN),
            f"blk.{layer}.attn_k.weight": (kv, HIDDEN),
            f"blk.{layer}.attn_v.weight": (kv, HIDDEN),
            f"blk.{layer}.attn_output.weight": (HIDDEN, HIDDEN),
            f"blk.{layer}.ffn_gate.weight": (FEED_FORWARD, HIDDEN),
            f"blk.{layer}.ffn_up.weight": (FEED_FORWARD, HIDDEN),
            f"blk.{layer}.ffn_down.weight": (HIDDEN, FEED_FORWARD),
        }
    for name, shape in shapes.items():
        numbers = [chance.gauss(0, 0.3) for _ in range(int(numpy.prod(shape)))]
        writer.add_tensor(name, numpy.array(numbers, dtype=numpy.float32).reshape(shape))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file
