"""A simulated press line with physics and planted truth, for demo, tests and benchmarks; no product code imports it."""
