"""Tests of what looks after the cache on disk and fills it."""
