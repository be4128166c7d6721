"""Tools for any functional model: what it costs, what it sees, what it does, how it looks.

    from keras_cases.analysis import cost, diagram, receptive_field, graph, gradients, probes, surgery

`cost`, `diagram` and `receptive_field` are functions, and hide the files of the same names.
"""

from keras_cases.analysis import gradients, graph, probes, surgery
from keras_cases.analysis.cost import cost
from keras_cases.analysis.diagram import diagram
from keras_cases.analysis.receptive_field import effective_receptive_field, receptive_field
