"""The wire models: what is accepted, and what the documentation promises in return."""
