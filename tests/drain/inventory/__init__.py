"""Inventories, as streams and as jobs."""
