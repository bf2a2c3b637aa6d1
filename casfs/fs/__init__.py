"""Kernel side: FUSE requests in; bytes, stats and errnos out; decides nothing."""
