"""Whether everything is there that a mount takes, and what mends what is not."""
