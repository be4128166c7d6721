"""Random crop and flip, drawn for each image, inside the model, on any backend.

`keras.layers.RandomCrop` draws one offset for the whole batch and does not crop at inference.
"""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_cases")
class RandomCropFlip(keras.layers.Layer):
    """Pads with zeros, crops back at a random place and flips half of the images left to right.

    Shapes: (batch, H, W, C) → the same, and the same type. While not training: the input.

    padding: pixels added on each side; each image gets one of (2·padding + 1)² crops.
    flip: whether to mirror (not for digits). seed: makes the draws repeatable.
    Source: He et al. 2015, arXiv:1512.03385, sec. 4.2 (4 pixels, and the flip).
    """

    def __init__(self, padding=4, flip=True, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.padding, self.flip, self.seed = padding, flip, seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, images, training=False):
        if not training:
            return images
        batch, (height, width, channels) = ops.shape(images)[0], images.shape[1:]
        p = self.padding
        offset = keras.random.randint((2, batch, 1), 0, 2 * p + 1, seed=self.seed_generator)
        rows, columns = ops.arange(height)[None], ops.arange(width)[None]
        if self.flip:
            mirror = keras.random.randint((batch, 1), 0, 2, seed=self.seed_generator)
            columns = ops.where(mirror == 1, width - 1 - columns, columns)
        rows, columns = rows + offset[0], columns + offset[1]
        padded = ops.pad(images, [[0, 0], [p, p], [p, p], [0, 0]])
        image = ops.arange(batch)[:, None, None] * (height + 2 * p)
        index = (image + rows[:, :, None]) * (width + 2 * p) + columns[:, None, :]
        return ops.take(ops.reshape(padded, (-1, channels)), index, axis=0)

    def compute_output_shape(self, input_shape):
        return input_shape

    def macs(self, input_shape, output_shape):
        """For keras_cases.analysis.cost: moving pixels multiplies nothing."""
        return 0

    def get_config(self):
        return super().get_config() | dict(padding=self.padding, flip=self.flip, seed=self.seed)
