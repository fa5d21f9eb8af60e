"""The text of a prototxt file, up to the messages of a network."""
