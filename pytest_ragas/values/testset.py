"""`Testset`: ordered samples with unique stable ids and a fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_ragas.values.sample import Sample


@dataclass(frozen=True, kw_only=True, slots=True)
class Testset:
    """The rows of one testset file, in the order of the file."""

    __test__ = False  # pytest collects classes named Test*

    samples: tuple[Sample, ...]
    """At least one; ids are unique."""
    path: str = ""
    """The file that they came from, as the user named it."""

    def __iter__(self) -> Iterator[Sample]:
        return iter(self.samples)

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits of every id, question and reference: which testset a run was scored on."""
        digest = hashlib.sha256()
        for sample in self.samples:
            row = [sample.id, sample.user_input, sample.reference, sample.reference_contexts]
            digest.update(json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()[:16]
