"""Tests of casfs: drain, destinations."""
