"""Tests of casfs: log."""
