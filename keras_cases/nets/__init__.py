"""Nets: one file per paper, each with its stage table and its builders; all builders are here.

    from keras_cases.nets import resnet50, vgg16

Every builder takes `classifier_activation="softmax"`; None gives logits.
A builder that bears its file's name hides the file: `keras_cases.nets.unet` is the function.
"""

from keras_cases.nets.lenet import digit_codes, lenet5, lenet5_1998
from keras_cases.nets.alexnet import alexnet, alexnet_ungrouped, alexnet_cifar
from keras_cases.nets.vgg import vgg11, vgg11_lrn, vgg13, vgg16_c, vgg16, vgg19, vgg_cifar
from keras_cases.nets.nin import nin
from keras_cases.nets.googlenet import googlenet, googlenet_heads, googlenet_bn, googlenet_cifar
from keras_cases.nets.inception_v3 import inception_v3, inception_v3_head, inception_v3_cifar
from keras_cases.nets.resnet import (
    resnet18, resnet34, resnet50, resnet101, resnet152, resnet50_v2, resnet101_v2, resnet152_v2)
from keras_cases.nets.resnet_cifar import (
    resnet_cifar, plain_cifar, resnet20, resnet32, resnet44, resnet56, resnet110, resnet_v1,
    resnet_v2)
from keras_cases.nets.densenet import (
    densenet121, densenet169, densenet201, densenet_cifar, densenet40, densenet_bc100)
from keras_cases.nets.squeezenet import squeezenet, squeezenet_cifar
from keras_cases.nets.unet import output_size, unet, unet_2015, unet_small
from keras_cases.nets.mobilenet import (
    mobilenet, mobilenet_075, mobilenet_050, mobilenet_025, mobilenet_cifar)
from keras_cases.nets.mobilenet_v2 import mobilenet_v2, mobilenet_v2_140, mobilenet_v2_cifar
from keras_cases.nets.efficientnet import (
    compound_scaling, efficientnet, efficientnet_b0, efficientnet_b1, efficientnet_b2,
    efficientnet_b3, efficientnet_b4, efficientnet_b5, efficientnet_b6, efficientnet_b7,
    efficientnet_cifar)
