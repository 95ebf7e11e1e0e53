"""Libraries of others that more than one stage needs, each imported by one module."""
