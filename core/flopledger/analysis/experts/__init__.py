"""Mixtures of experts: which modules are experts, and how many of them one token uses."""
