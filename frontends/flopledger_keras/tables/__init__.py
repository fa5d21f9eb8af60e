"""The tables of Keras's layers and functions: the kind of each, and its attributes."""
