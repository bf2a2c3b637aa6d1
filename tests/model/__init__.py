"""Tests of casfs: model."""
