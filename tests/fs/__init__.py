"""Tests of casfs: fs."""
