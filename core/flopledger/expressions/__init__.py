"""The safe evaluator of expressions in arguments, convention files and saved graphs."""
