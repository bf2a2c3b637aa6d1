"""Tests of casfs: drain."""
