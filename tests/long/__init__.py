"""Tests that install what others wrote, or take minutes: they run with ``--long``."""
