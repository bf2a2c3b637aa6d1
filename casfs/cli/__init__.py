"""One module a command; main.py joins them."""
