"""Where outputs are put: a folder, or a store that fsspec speaks to."""
