"""`python -m pytest_ragas.models.local.convert FILE.gguf FOLDER`: a GGUF file as safetensors.

A process of its own: parsing is seconds of pure Python, which would hold up every other thread of a test run, and
twice the model's memory, which is given back this way. Exit status 3 with a message on standard output is an error for
the user, for `gguf.py` to raise.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

from pytest_ragas.errors import ConfigurationError
from pytest_ragas.models.local.cache import check_room

LARGE = 1_000_000_000
"""Parameters above which 16 bits are stored for each, not 32: half the disk, at a hundredth of what the
quantisation of such files has cost already."""


def convert(file: Path, folder: Path) -> None:
    """Write the model and the tokenizer of a GGUF file as `from_pretrained` reads them.

    Source:
        transformers refuses to save what it read from GGUF ("quantized with gguf and is not serializable"). So the
        model is built again from its configuration, on the meta device, around the same tensors.
    """
    # partly typed, and differently from release to release
    torch: Any = importlib.import_module("torch")
    transformers: Any = importlib.import_module("transformers")
    given: dict[str, Any] = {"gguf_file": file.name, "local_files_only": True}
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(file.parent), **given)
    _decode_bytes(tokenizer.backend_tokenizer)
    loaded = transformers.AutoModelForCausalLM.from_pretrained(str(file.parent), torch_dtype=torch.float32, **given)
    config = loaded.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    inputs, outputs = loaded.get_input_embeddings(), loaded.get_output_embeddings()
    if outputs is not None and torch.equal(inputs.weight, outputs.weight):
        config.tie_word_embeddings = True
    parameters = sum(parameter.numel() for parameter in loaded.parameters())
    dtype = torch.float16 if parameters > LARGE else torch.float32
    check_room(folder, parameters * dtype.itemsize + 20_000_000, f"{file.name} as safetensors")
    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(config)
    model.load_state_dict(loaded.to(dtype).state_dict(), strict=False, assign=True)
    model.tie_weights()
    model.config.torch_dtype = dtype
    model.generation_config = loaded.generation_config
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _decode_bytes(tokenizer: Any) -> None:
    """Take the decoder of byte-level vocabularies alone where transformers 4 puts that of SentencePiece before it.

    Texts come out the same, but whoever asks which bytes a token stands for (the grammar of answers) is misled.
    """
    decoder = json.loads(tokenizer.to_str()).get("decoder") or {}
    if {"ByteFallback", "ByteLevel"} <= {part["type"] for part in decoder.get("decoders", ())}:
        tokenizer.decoder = importlib.import_module("tokenizers").decoders.ByteLevel()


def _end_with_parent() -> None:
    """Whoever started us holds the other end of our standard input: when it is gone, so are we."""
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    status = 0
    try:
        convert(Path(sys.argv[1]), Path(sys.argv[2]))
    except ConfigurationError as error:
        print(error)
        status = 3
    sys.exit(status)
