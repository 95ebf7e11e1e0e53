"""What a run looks like: terminal lines and failure texts."""
