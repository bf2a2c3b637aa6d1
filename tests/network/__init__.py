"""Tests of casfs: network."""
