"""What the two sides of the parser process agree on."""

import struct

MEMORY_GROWTH_BYTES = 144 * 1024 * 1024
TOTAL_SECONDS = 180
HEADER = struct.Struct("!IQ")
"""Length of the key, length of the data."""
PROCESS_ID = struct.Struct("!I")
