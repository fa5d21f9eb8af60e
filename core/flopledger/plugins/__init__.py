"""Finding the frontends that are installed, and what they bring."""
