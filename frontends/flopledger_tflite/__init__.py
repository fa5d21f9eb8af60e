"""TFLite models: the flat buffer of a file, its operators, and the graph that they make."""
