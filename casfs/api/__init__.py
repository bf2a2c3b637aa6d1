"""Service side: typed requests out, typed answers and errors back."""
