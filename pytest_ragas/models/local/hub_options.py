"""`HubOptions`: how a hub is asked for a model."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class HubOptions:
    """How a hub is asked."""

    revision: str | None = None
    """Branch, tag or commit."""
    token: str | None = None
    cache_folder: str | None = None
    """Instead of the hub's own cache."""
    local_files_only: bool = False
    """Take what is there, and contact nobody."""
