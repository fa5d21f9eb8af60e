"""The process and the model during a reading, and as they were afterwards."""
