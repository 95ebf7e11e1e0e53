"""The one line that every report puts beside embedded scores."""

from __future__ import annotations

NOTE = "embedded: a heuristic on the wording, not comparable with LLM-judged scores"
