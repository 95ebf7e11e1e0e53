"""Metrics: sample in, score out."""
