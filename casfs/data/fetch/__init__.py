"""What is on its way: parts of outputs, who asked for them, and who fetches them."""
