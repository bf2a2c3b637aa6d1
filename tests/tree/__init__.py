"""Tests of casfs: tree."""
