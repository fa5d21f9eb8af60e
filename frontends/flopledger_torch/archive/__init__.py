"""Exported programs in files, read as data: no loader of torch's is called, no weight is read."""
