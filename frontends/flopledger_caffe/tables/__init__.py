"""Which of Caffe's layers is which kind, with which attributes."""
