"""Models of a few kilobytes, in the formats of real ones."""
