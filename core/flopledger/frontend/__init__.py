"""What the author of a frontend imports."""
