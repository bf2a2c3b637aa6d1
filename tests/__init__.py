"""Tests of casfs."""
