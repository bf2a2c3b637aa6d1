"""Tests of casfs: data."""
