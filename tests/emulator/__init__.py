"""Tests of casfs: emulator."""
