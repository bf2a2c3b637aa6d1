"""Tests of the lanes in which blocks are hashed."""
