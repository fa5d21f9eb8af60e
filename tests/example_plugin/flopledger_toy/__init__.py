"""Reads networks written in a toy text format."""
