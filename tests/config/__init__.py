"""Tests of casfs.config."""
