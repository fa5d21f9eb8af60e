"""The table of Caffe's layers: the kind of each, and its attributes."""
