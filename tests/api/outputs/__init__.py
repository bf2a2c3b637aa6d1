"""Tests of Get Job Output."""
