"""Other plugins: how each is kept whole beside deferred verdicts."""
