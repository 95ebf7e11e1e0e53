"""How verdicts are deferred: report blocks held back, logged in order, and what is scored ahead."""
