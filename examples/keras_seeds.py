"""Two networks for radio signals, in Keras: a small convolutional one, and one with a recurrent layer.

Count them with::

    flopledger count examples/keras_seeds.py:scnn
    flopledger count examples/keras_seeds.py:pet_cgdnn --arg reset_after=False -c 2mac --set bias=mac
"""

from __future__ import annotations

import keras
from keras import layers


def scnn(classes: int = 11) -> keras.Model:
    """Return a separable convolutional network over 128 pairs of samples."""
    signal = keras.Input((2, 128), name="signal")
    x = layers.Reshape((128, 2))(signal)
    x = layers.Conv1D(128, 16, padding="same", activation="relu")(x)
    x = layers.Dropout(0.5)(layers.BatchNormalization()(x))
    x = layers.SeparableConv1D(64, 8, padding="same", activation="relu")(x)
    x = layers.Dropout(0.5)(layers.BatchNormalization()(x))
    scores = layers.Dense(classes)(layers.Flatten()(x))
    return keras.Model(signal, layers.Activation("softmax")(scores), name="scnn")


def pet_cgdnn(classes: int = 11, *, reset_after: bool = True) -> keras.Model:
    """Return a network that corrects the phase first, then convolves, then reads 117 steps in order."""
    signal = keras.Input((2, 128, 1), name="signal")
    real, imaginary = (keras.Input((128, 1), name=name) for name in ("real", "imaginary"))
    phase = layers.Dense(1, name="phase")(layers.Flatten()(signal))
    cosine, sine = (layers.Reshape((1, 1))(turn(phase)) for turn in (keras.ops.cos, keras.ops.sin))
    turned = layers.Add()([layers.Multiply()([real, cosine]), layers.Multiply()([imaginary, sine])])
    other = layers.Subtract()([layers.Multiply()([imaginary, cosine]), layers.Multiply()([real, sine])])
    x = layers.Reshape((128, 2, 1))(layers.Concatenate()([turned, other]))
    x = layers.Conv2D(75, (8, 2), activation="relu", name="first")(x)
    x = layers.Conv2D(25, (5, 1), activation="relu", name="second")(x)
    x = layers.GRU(128, reset_after=reset_after, name="gru")(layers.Reshape((117, 25))(x))
    scores = layers.Dense(classes, activation="softmax", name="scores")(x)
    return keras.Model([signal, real, imaginary], scores, name="pet_cgdnn")
