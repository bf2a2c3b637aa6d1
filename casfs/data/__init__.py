"""Bytes: a read becomes whole blocks, each fetched once, checked, kept."""
