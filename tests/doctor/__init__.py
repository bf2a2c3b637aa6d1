"""``casfs doctor``, and each of its looks."""
