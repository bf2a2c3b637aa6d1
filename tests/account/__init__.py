"""Tests of casfs: an account, without a kernel."""
