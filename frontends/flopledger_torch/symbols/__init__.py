"""Symbols for sizes in PyTorch's own expressions, and the conditions a model sets on them."""
