"""Tests of ``casfs warm``."""
