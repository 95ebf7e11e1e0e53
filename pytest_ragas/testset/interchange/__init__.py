"""Testsets of other tools, in and out."""
