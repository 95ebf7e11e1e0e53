"""The one line that every report puts beside scores of a likelihood critic."""

from __future__ import annotations

NOTE = "likelihood: a share of surprisal that the contexts explain, not comparable with LLM-judged scores"
