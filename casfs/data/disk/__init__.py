"""Blocks on disk: what was fetched and checked once, kept over restarts and shared by processes."""
