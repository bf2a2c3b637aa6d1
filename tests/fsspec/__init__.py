"""cas:// and glacier://: vaults, jobs and outputs through fsspec."""
