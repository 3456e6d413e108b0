"""The only modules that know a vendor."""
