"""Tests of casfs: cli."""
