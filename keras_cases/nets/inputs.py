"""What every builder asks of its arguments before the first layer."""

import numbers

import keras


def image_input(net, input_shape, classes, smallest=1, known=False):
    """The net's `keras.Input` of shape (H, W, C), once its arguments make sense.

    smallest: pixels a side that the net can still take; a side of None (any size) passes, unless
    `known` says that it must not.
    Raises: ValueError for a shape that is not (H, W, C), too small an image, classes below 1, or
    Keras set to channels first.
    """
    if keras.config.image_data_format() != "channels_last":
        raise ValueError(f"{net}: Keras is set to {keras.config.image_data_format()}, and all nets "
                         "here are channels last; keras.config.set_image_data_format("
                         "'channels_last') first.")
    if len(input_shape) != 3 or input_shape[-1] is None or input_shape[-1] < 1:
        raise ValueError(f"{net}: input_shape={input_shape}; pass (height, width, channels), such "
                         "as (32, 32, 3), without the batch.")
    if known and None in tuple(input_shape):
        raise ValueError(f"{net}: input_shape={input_shape}; its dense layers need both sides as "
                         "numbers, such as (32, 32, 1).")
    if any(side is not None and side < smallest for side in input_shape[:2]):
        raise ValueError(f"{net}: input_shape={input_shape}, but its pooling needs at least "
                         f"{smallest}×{smallest} pixels; enlarge the images or take a net made "
                         "for small ones.")
    if not isinstance(classes, numbers.Integral) or classes < 1:
        raise ValueError(f"{net}: classes={classes!r}; pass the number of classes, 1 or more.")
    return keras.Input(input_shape)


def scaled(net, filters, width, multiple=1, least=1):
    """`filters` times `width`, as a multiple of `multiple` that is not below `least`.

    Raises: ValueError for a width that is not above 0.
    """
    if not width > 0:
        raise ValueError(f"{net}: width={width}; it multiplies the filters, so pass a number above "
                         "0: 0.25, 0.5, 1.")
    return max(least, multiple * round(filters * width / multiple))
