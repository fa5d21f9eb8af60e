"""Comparing two networks layer by layer."""
