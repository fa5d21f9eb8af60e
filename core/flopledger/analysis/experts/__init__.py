"""Mixtures of experts: which modules are experts, and how many of them one token uses."""

PICKS = frozenset({"top_k", "arg_max", "reduce_max"})
"""The kinds of calls that may pick: ``topk`` in most routers; Switch Transformers takes ``argmax``, and
``max(dim=...)`` gives the largest value with its place. A network without any of them has no experts."""
