"""Tests of casfs: operate."""
