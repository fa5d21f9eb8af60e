"""The tables of Paddle's layers and functions: the kind of each, and its attributes."""
