"""A picture of any functional model, in the notation of the lectures; needs no Graphviz.

Convolution red, pooling grey, merge operations (add, concat) purple, dense blue, modules yellow,
green or orange; round marks for tanh, ReLU, batch normalization and softmax on the box they follow
(lower edge) or, in pre-activation, on the box they feed (upper edge); repeats folded with ×N.

    diagram(model)                     every layer, from top to bottom
    diagram(model, detail="block")     the named blocks as modules, from left to right

`boxes` and `modules` say what is drawn, `layout` where it goes, `draw` draws it on a `page`, with
its `legend`.
"""

from keras_cases.analysis.diagram.draw import diagram

__all__ = ["diagram"]
