"""What was done and what is to do, on disk: the truth about a drain."""
