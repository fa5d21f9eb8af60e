"""The tables of PyTorch's layers and functions: the kind of each, and its attributes."""
