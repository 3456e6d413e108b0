"""The doors of alert-bridge."""
