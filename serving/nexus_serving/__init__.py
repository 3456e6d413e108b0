"""What Triton runs, and what sets it up. `engines` is all that the server imports; the rest prepares and starts it."""
