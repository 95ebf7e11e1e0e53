"""pytest-xdist: what a worker sends, what the controller knows, and what they share."""
