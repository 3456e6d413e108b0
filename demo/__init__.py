"""Both loops, shown on a fresh stack: `make demo`."""
