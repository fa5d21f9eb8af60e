"""Counting a graph under a convention into a ledger."""
