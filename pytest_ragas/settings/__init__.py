"""Settings from pyproject.toml, a file, the environment and the command line."""
