"""Routes, one family per file."""
