"""The safetensors frontend: the parameters of a file, by name and shape, from its header alone."""

ENDING = ".safetensors"
INDEX = ".safetensors.index.json"
"""The ending of the list that names the file of each weight of a large model."""
