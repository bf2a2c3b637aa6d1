"""Tests of casfs: mount."""
