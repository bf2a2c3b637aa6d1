"""The cache on disk, for who looks after it and who fills it."""
