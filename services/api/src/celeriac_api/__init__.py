"""HTTP in, one round trip to Redis, answer out. Imports no task code."""
