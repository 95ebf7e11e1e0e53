"""The core metrics with prompts of ours, judged by an LLM."""
