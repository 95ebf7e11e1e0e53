"""Everything that speaks to pytest, and nothing else."""
