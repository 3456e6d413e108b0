"""The doors of trainer."""
