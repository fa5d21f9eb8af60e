"""Recording what a forward calls: torch's functions, its operations, and products of sizes."""
