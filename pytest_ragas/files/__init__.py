"""Files that users wrote: bytes to text, text to JSON values, JSON values held against a published schema."""
