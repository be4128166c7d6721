"""Random crop and flip, drawn for each image, in NumPy, before the images reach the model.

`keras.layers.RandomCrop` draws one offset for the whole batch and does not crop at inference. Here
masks move with their images, and every backend draws the same.
"""

import numpy as np


def crop_and_flip(images, rng, padding=4, flip=True, masks=None):
    """Pads with zeros, crops back at a random place and mirrors half of the images left to right.

    images: (batch, H, W, C). masks: (batch, H, W), moved as their images are; the border they gain
    is class 0. padding: pixels added on each side; each image gets one of (2·padding + 1)² crops.
    rng: a numpy Generator. flip: whether to mirror (not for digits).
    Returns new images, or (images, masks). The types stay.
    Source: He et al. 2015, arXiv:1512.03385, sec. 4.2 (4 pixels, and the flip).
    """
    count, height, width = images.shape[:3]
    offset = rng.integers(0, 2 * padding + 1, (2, count, 1))
    rows, columns = np.arange(height)[None], np.arange(width)[None]
    if flip:
        mirrored = rng.integers(0, 2, (count, 1)) == 1
        columns = np.where(mirrored, width - 1 - columns, columns)
    which = np.arange(count)[:, None, None]
    place = which, (rows + offset[0])[:, :, None], (columns + offset[1])[:, None, :]

    def moved(arrays):
        border = [(0, 0), (padding, padding), (padding, padding)] + [(0, 0)] * (arrays.ndim - 3)
        return np.pad(arrays, border)[place]

    return moved(images) if masks is None else (moved(images), moved(masks))
