"""Tests of casfs: api."""
