"""Tests of the ways through proxies."""
