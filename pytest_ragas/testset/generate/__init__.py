"""Testsets written from documents by a generator LLM, and judged by a critic LLM before they are kept."""
