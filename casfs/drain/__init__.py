"""Everything out of a vault, and what single outputs are put into."""
