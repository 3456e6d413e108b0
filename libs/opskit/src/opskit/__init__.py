"""What every Nexus service shares. A thing enters only when two services need it and it decides nothing."""
