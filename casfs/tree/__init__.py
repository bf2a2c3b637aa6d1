"""Names: which paths exist and what they stand for."""
