"""Which of Keras's layers and functions is which kind, with which attributes."""
