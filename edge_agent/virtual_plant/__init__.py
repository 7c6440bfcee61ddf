"""A simulated line with physics and planted truth, for demo, tests and benchmarks."""
