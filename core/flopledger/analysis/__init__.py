"""Views of one graph: its calls, modules, weights, formulas and data flow."""
