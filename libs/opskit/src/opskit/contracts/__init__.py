"""The frozen messages that pass between services. Depends on pydantic alone."""
