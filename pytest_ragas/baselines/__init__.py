"""Baselines: runs that are kept, paired with later ones, and a gate that knows its own noise."""
