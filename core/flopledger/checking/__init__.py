"""Checking a network against budgets and against an earlier count."""
