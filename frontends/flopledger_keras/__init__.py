"""The Keras frontend: Keras 3 models, on any backend."""
