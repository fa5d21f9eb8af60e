"""Recording the calls of a forward: torch's functions, its operations, and products of sizes."""
