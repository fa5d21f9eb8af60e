"""The built-in operators: kind, attributes in neutral words, shapes, and which inputs are weights."""
