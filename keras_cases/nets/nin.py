"""Network in Network for CIFAR-10.

Lin, Chen, Yan 2013, "Network In Network", arXiv:1312.4400, section 4. Test error in %, last
column, from its table 1 (with augmentation; 10.41 without).

    net  layers  parameters  trainable   GMACs  error
    nin       9     966,986    966,986  0.2225   8.81

Counts and multiply-adds at 32×32×3, 10 classes (ours, tested). Nine convolutions, no dense layer:
the last block's ten maps are the ten classes, averaged.
Differs from the paper: the widths, which it does not print, are those of the model that its authors
released; images are not whitened.
"""

import keras
from keras import layers

from keras_cases.blocks.classic import mlpconv_block
from keras_cases.blocks.heads import global_average_pooling_head
from keras_cases.nets.inputs import image_input, scaled

# (filters, kernel, filters of the two 1×1, what follows); None: the number of classes
BLOCKS = [
    (192, 5, (160, 96), layers.MaxPooling2D),
    (192, 5, (192, 192), layers.AveragePooling2D),
    (192, 3, (192, None), None),
]


def nin(input_shape=(32, 32, 3), classes=10, dropout=0.5, width=1, classifier_activation="softmax"):
    """Network in Network: (H, W, C) → (classes,) probabilities.

    Train it gently (Adam at 3e-4 learns on CIFAR-10, 1e-3 did not start in 60 steps): a relu
    stands before its softmax, and with all ten maps dead the loss stays at ln 10 = 2.303.
    width: factor on the filters, all but the classes. classifier_activation: None for logits.
    Exits: "mlpconv1" … "mlpconv3". Raises: ValueError for images below 8×8, a width ≤ 0.
    """
    inputs = x = image_input("nin", input_shape, classes, smallest=8)
    for i, (filters, kernel, mlp, pool) in enumerate(BLOCKS, 1):
        mlp = [classes if maps is None else scaled("nin", maps, width) for maps in mlp]
        x = mlpconv_block(x, scaled("nin", filters, width), kernel, mlp, name=f"mlpconv{i}")
        if pool:
            x = pool(3, strides=2, padding="same")(x)
            x = layers.Dropout(dropout)(x)
    outputs = global_average_pooling_head(x, activation=classifier_activation, name="predictions")
    return keras.Model(inputs, outputs, name="nin")
