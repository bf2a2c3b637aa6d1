"""The archive service itself, small, on a loopback socket: for the demo, tests and benchmarks."""
