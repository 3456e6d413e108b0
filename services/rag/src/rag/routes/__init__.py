"""The doors: typed input, one call, a shaped answer."""
