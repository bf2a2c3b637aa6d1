"""What a vault holds, as the service lists it: streams of archives, and the jobs that they come from."""
