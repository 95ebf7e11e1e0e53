"""`Report`: what it took to generate a testset, and what was rejected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """Of one generation, whole or not."""

    wanted: Mapping[str, int]
    """Rows by question type."""
    made: Mapping[str, int]
    """Rows that passed, by question type."""
    rejected: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Question type -> reason -> candidates."""
    candidates: int = 0
    """Questions that were written, or tried to be."""
    chunks: int = 0
    """Passages of all documents."""
    documents: int = 0
    """Documents."""

    @property
    def missing(self) -> int:
        """Rows that could not be made."""
        return sum(self.wanted.values()) - sum(self.made.values())

    def rows_line(self) -> str:
        """`20 rows (10 simple, 8 multi_context, 2 reasoning) from 31 passages of 3 documents`."""
        kinds = ", ".join(f"{count} {name}" for name, count in self.made.items() if count)
        rows, passages, documents = sum(self.made.values()), self.chunks, self.documents
        return f"{_count(rows, 'row')} ({kinds}) from {_count(passages, 'passage')} of {_count(documents, 'document')}"

    def rejected_line(self) -> str:
        """`31 candidates, 11 rejected: 6 duplicate, 5 not self-contained`."""
        reasons: Counter[str] = Counter()
        for counts in self.rejected.values():
            reasons.update(counts)
        head = f"{_count(self.candidates, 'candidate')}, {sum(reasons.values())} rejected"
        return f"{head}: {_reasons(reasons)}" if reasons else head

    def failure(self) -> str:
        """How many rows could not be made and why, by question type; one line each."""
        total = sum(self.wanted.values())
        lines = [f"{self.missing} of {_count(total, 'row')} could not be made:"]
        for name, wanted in self.wanted.items():
            made = self.made.get(name, 0)
            if made < wanted:
                why = _reasons(self.rejected.get(name, {})) or "no candidate was written"
                lines.append(f"  {name}: {wanted - made} of {wanted} missing; rejected: {why}")
        return "\n".join(lines)


def _reasons(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items(), key=lambda item: (-item[1], item)))


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
