"""The neutral graph of a network: its tables, how they are saved and loaded, and their checks."""
