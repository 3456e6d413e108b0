"""The pages, one module each, and the larger parts they are made of."""
