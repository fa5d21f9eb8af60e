"""Which of PyTorch's layers and functions is which kind, with which attributes."""
