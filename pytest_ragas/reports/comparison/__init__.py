"""A comparison with a baseline as people read it: in a terminal, in a pull request, as a table of many runs."""
