"""Sizes: whole numbers, or exact expressions over named symbols."""
