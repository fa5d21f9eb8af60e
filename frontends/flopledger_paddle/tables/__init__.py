"""Which of Paddle's layers and functions is which kind, with which attributes."""
