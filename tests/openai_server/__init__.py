"""A real HTTP server that speaks the OpenAI protocol, with a deterministic lexical critic behind it."""
