"""Reads Caffe prototxt files."""
