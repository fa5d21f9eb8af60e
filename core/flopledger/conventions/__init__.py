"""Conventions: the shipped files, the records they are read into, and the facts they may name."""
