"""The bytes of a TFLite file: flat buffers, bounded, in place; the contents of weights are never read."""
