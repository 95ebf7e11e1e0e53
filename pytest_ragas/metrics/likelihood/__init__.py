"""Metrics of a likelihood critic: what a causal language model finds likely, nothing generated."""
