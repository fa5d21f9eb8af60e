"""Reading a source into a graph: by which frontend, and in which process."""
