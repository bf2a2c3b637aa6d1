"""Settings and credentials: every option once, and where its value comes from."""
