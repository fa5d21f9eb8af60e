"""The safetensors frontend: the parameters of a file, by name and shape, from its header alone."""
