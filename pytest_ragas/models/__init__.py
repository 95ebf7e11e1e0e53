"""The clients of critic LLMs and embedding models, one a file."""
