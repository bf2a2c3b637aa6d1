"""What will be read next, and is asked for before it is."""
