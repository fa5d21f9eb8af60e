"""Writes tiny.tflite, the network of tiny.onnx with channels last; needs TensorFlow."""

from __future__ import annotations

from pathlib import Path

import keras
import tensorflow as tf


def tiny() -> keras.Model:
    """Return the network: a convolution, a ReLU, the mean over the picture, and a dense layer."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((32, 32, 3), name="image"),
            layers.Conv2D(8, 3, padding="same", name="conv", bias_initializer="uniform"),
            layers.ReLU(name="relu"),
            layers.GlobalAveragePooling2D(name="pool"),
            layers.Dense(10, name="fc", bias_initializer="uniform"),
        ],
        name="tiny",
    )


if __name__ == "__main__":
    converter = tf.lite.TFLiteConverter.from_keras_model(tiny())
    Path(__file__).with_name("tiny.tflite").write_bytes(converter.convert())
