"""A comparison with a baseline in Markdown, for a comment on a pull request or the page of a CI job."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from pytest_ragas.errors import cut
from pytest_ragas.reports.comparison import words
from pytest_ragas.reports.numbers import count, score
from pytest_ragas.values.comparison import Comparison, Incomparable
from pytest_ragas.values.recorded import RowKey

_SPECIAL = re.compile(r"([\\`*_\[\]<#|~$])")
_ROWS = 20
_IDS = 20
_QUESTION = 80


def comparison_markdown(
    comparison: Comparison | Incomparable, *, questions: Mapping[RowKey, str], causes: str = ""
) -> str:
    """The text, with a line break at its end.

    Args:
        comparison: What became of it.
        questions: What rows ask, where that is known.
        causes: Whose fault the rows that broke are, as `broken_causes` says it.
    """
    name = code(comparison.baseline)
    if isinstance(comparison, Incomparable):
        parts = [f"### ragas: not comparable with {name}", _bullets(comparison.differences), *comparison.mends]
        return "\n\n".join(map(str.strip, parts)) + "\n"
    verdict = "failed" if comparison.failed else "passed"
    parts = [f"### ragas: comparison with {name} {verdict}"]
    if comparison.failed:
        parts.append(_bullets(text.removeprefix("comparison ") for text in words.outcome_words(comparison)))
    if comparison.changes:
        parts.append(_metrics(comparison))
    parts += _broken(comparison, questions)
    parts += [f"Of these: {causes}"] if causes else []
    if comparison.slices:
        parts.append("**Where the drop is**\n\n" + _bullets(map(words.slice_words, comparison.slices)))
    parts.append(_rows(comparison))
    remarks = [
        words.detectable_words(comparison.changes),
        words.upside_down(comparison),
        *(f"compared anyway: {found}" for found in comparison.differences),
        *comparison.notes,
    ]
    if any(remarks):
        parts.append(_bullets(filter(None, remarks)))
    return "\n\n".join(parts) + "\n"


def plain(text: str) -> str:
    """A text that shall be read as it is: no markup, no mention of anybody, on one line."""
    escaped = _SPECIAL.sub(r"\\\1", " ".join(text.split()))
    return escaped.replace("@", "&#64;")


def code(text: str) -> str:
    """A name in a code span; in a table too."""
    return "`" + " ".join(text.split()).replace("`", "'").replace("|", "\\|") + "`"


def markdown_table(head: Mapping[str, bool], rows: Sequence[Sequence[str]]) -> str:
    """A table. Its head: title -> whether the column holds numbers, which are aligned at their right."""
    rule = "|".join("---:" if numbers else "---" for numbers in head.values())
    lines = [f"| {' | '.join(head)} |", f"|{rule}|"]
    return "\n".join([*lines, *(f"| {' | '.join(cells)} |" for cells in rows)])


def _bullets(texts: Iterable[str]) -> str:
    return "\n".join(f"- {plain(text)}" for text in texts)


def _metrics(comparison: Comparison) -> str:
    rows = []
    for change in comparison.changes:
        verdict = words.verdict(change)
        rows.append(
            [
                code(change.metric),
                f"{change.pairs:,}",
                score(change.before),
                score(change.after),
                words.signed(change.change),
                words.interval(change),
                plain(words.probability(change.p)),
                f"**{verdict}**" if change.failed else verdict,
            ]
        )
    numbers = dict.fromkeys(["rows", "before", "now", "change", "95 % interval", "p"], True)
    return markdown_table({"metric": False, **numbers, "verdict": False}, rows)


def _broken(comparison: Comparison, questions: Mapping[RowKey, str]) -> list[str]:
    rows = words.broken_rows(comparison.breaks)
    if not rows:
        return []
    cells = [
        [
            code(row.key.sample_id),
            plain(row.what),
            "flipped" if row.flipped else "fell",
            plain(cut(questions.get(row.key, ""), _QUESTION)),
        ]
        for row in rows[:_ROWS]
    ]
    parts = [
        f"**{count(len(rows), 'row')} broke**: {words.broken_title(comparison.breaks).partition(': ')[2]}",
        markdown_table(dict.fromkeys(["row", "score", "why", "question"], False), cells),
    ]
    if len(rows) > _ROWS:
        parts.append(f"… and {len(rows) - _ROWS:,} more")
    return parts


def _rows(comparison: Comparison) -> str:
    lines = [words.rows_words(comparison.pairing) + "."]
    for kind, ids in words.listed_rows(comparison.pairing):
        more = f" … and {len(ids) - _IDS:,} more" if len(ids) > _IDS else ""
        lines.append(f"- {kind}: {', '.join(map(code, ids[:_IDS]))}{more}")
    return "\n".join(lines)
