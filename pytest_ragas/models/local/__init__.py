"""Models that run in this process: their weights, an LLM over transformers."""
