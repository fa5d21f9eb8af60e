"""The Paddle frontend."""
