"""MLflow as Nexus runs it in containers."""
