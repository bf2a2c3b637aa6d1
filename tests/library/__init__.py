"""Tests of casfs: the library."""
