"""What the terminal shows: header, progress, summary."""
