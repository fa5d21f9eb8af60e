"""Language models of transformers: made from a config alone, with the inputs and the cache of a step."""
