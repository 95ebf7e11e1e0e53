"""The pytest11 entry point: registers everything else, imports nothing that an idle suite does not need."""

from __future__ import annotations
