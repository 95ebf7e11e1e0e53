"""The embedded default: measures of the wording, no model."""
