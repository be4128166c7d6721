"""Bugs by the hundred: every small change of a function's source that a tired hand could make.

`changes(tree)` yields, for a function or a module, one changed copy after the other:

    rewired     a layer, a merge or a block reads another tensor of the same function
    dropped     an activation, normalization, dropout, pool, padding, crop or inner block left out
    doubled     the same twice
    swapped     maximum for average pooling, "same" for "valid", the order of a merge's inputs
    reset       a keyword left out (strides, bias, padding, epsilon, how weights start …)
    set         BN as PyTorch sets it, a dropout that never switches off, its rate divided by ten,
                kernels that start as ones, a size or stride of 1, 2 or 3 taken for another
    turned      a condition taken for its contrary
"""

import ast
import copy

OPTIONAL = {"Activation", "BatchNormalization", "Dropout", "MaxPooling2D", "AveragePooling2D",
            "ZeroPadding2D", "Cropping2D", "Rescaling", "Normalization"}
POOLS = {"MaxPooling2D": "AveragePooling2D", "AveragePooling2D": "MaxPooling2D"}
RESET = {"strides", "padding", "use_bias", "epsilon", "scale", "kernel_initializer", "keepdims",
         "depthwise_initializer", "groups", "gamma_initializer", "noise_shape", "activation"}
OTHER = {1: 2, 2: 1, 3: 5}


def layer_of(node):
    """The class of `layers.Class(…)(…)`, or ""."""
    inner = getattr(node, "func", None)
    if isinstance(node, ast.Call) and isinstance(inner, ast.Call):
        return class_of(inner)
    return ""


def class_of(node):
    func = getattr(node, "func", None)
    known = isinstance(func, ast.Attribute) and getattr(func.value, "id", "") == "layers"
    return func.attr if isinstance(node, ast.Call) and known else ""


def tensors(function):
    """Names of the function that hold a tensor: what its layers read or are assigned to."""
    names = []
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and layer_of(node) and isinstance(node.args[0], ast.Name):
            names.append(node.args[0].id)
        if isinstance(node, ast.Assign) and layer_of(node.value):
            names += [target.id for target in node.targets if isinstance(target, ast.Name)]
    return list(dict.fromkeys(names))


def _without(call, *keywords):
    call = copy.deepcopy(call)
    call.keywords = [k for k in call.keywords if k.arg not in keywords]
    return call


def _with(call, **values):
    call = _without(call, *values)
    call.keywords += [ast.keyword(key, ast.Constant(value)) for key, value in values.items()]
    return call


def of_call(node, names, inner_functions):
    """(what, changed node) for a call."""
    kind = layer_of(node)
    own = kind or getattr(getattr(node, "func", None), "id", "") in inner_functions
    if own and node.args:
        first = node.args[0]
        if kind in OPTIONAL or not kind:
            yield "dropped", first
        if kind in OPTIONAL:
            once = copy.deepcopy(node)
            once.func = _without(once.func, "name")
            twice = copy.deepcopy(node)
            twice.args[0] = once
            yield "doubled", twice
        if isinstance(first, ast.Name):
            for name in names:
                if name != first.id:
                    other = copy.deepcopy(node)
                    other.args[0] = ast.Name(name, ast.Load())
                    yield f"rewired to {name}", other
        if isinstance(first, ast.List) and len(first.elts) > 1:
            other = copy.deepcopy(node)
            other.args[0].elts.reverse()
            yield "swapped inputs", other
            for i, element in enumerate(first.elts):
                for name in names:
                    if getattr(element, "id", "") != name:
                        other = copy.deepcopy(node)
                        other.args[0].elts[i] = ast.Name(name, ast.Load())
                        yield f"input {i} rewired to {name}", other
        if kind == "Dropout":
            yield "never switches off", _with(node, training=True)
    kind = class_of(node)
    if kind in POOLS:
        other = copy.deepcopy(node)
        other.func.attr = POOLS[kind]
        yield "swapped pool", other
    if kind == "BatchNormalization":
        yield "set PyTorch's momentum", _with(node, momentum=0.9)
        yield "set PyTorch's epsilon", _with(node, epsilon=1e-5)
    if kind == "Dropout":
        other = copy.deepcopy(node)
        other.args[0] = ast.BinOp(other.args[0], ast.Div(), ast.Constant(10))
        yield "set a tenth of its rate", other
    if kind.endswith(("Conv2D", "Conv2DTranspose", "Dense")):
        key = "depthwise_initializer" if kind.startswith("Depth") else "kernel_initializer"
        if not any(k.arg is None for k in node.keywords):
            yield "set to start as ones", _with(node, **{key: "ones"})
    settings = kind or getattr(getattr(node, "func", None), "id", "") == "dict"
    if settings or own:
        for keyword in node.keywords:
            if keyword.arg in RESET and settings:
                yield f"reset {keyword.arg}", _without(node, keyword.arg)
            if keyword.arg == "padding" and isinstance(keyword.value, ast.Constant):
                swap = {"same": "valid", "valid": "same"}[keyword.value.value]
                yield "swapped padding", _with(node, padding=swap)
        places = [("args", i) for i in range(len(node.args))] + [
            ("keywords", i) for i, k in enumerate(node.keywords)]
        for where, i in places:
            value = getattr(node, where)[i]
            value = value.value if where == "keywords" else value
            if isinstance(value, ast.Constant) and type(value.value) is int and value.value in OTHER:
                other = copy.deepcopy(node)
                new = ast.Constant(OTHER[value.value])
                if where == "args":
                    other.args[i] = new
                else:
                    other.keywords[i].value = new
                yield f"set {value.value} to {new.value}", other


def of_condition(node):
    if isinstance(node, ast.If) and not any(isinstance(n, ast.Raise) for n in node.body) \
            or isinstance(node, ast.IfExp):
        other = copy.deepcopy(node)
        other.test = ast.UnaryOp(ast.Not(), other.test)
        yield "turned", other


def changes(tree, inner_functions=()):
    """(function, code, what, changed copy of the tree): each a single change, no two the same."""
    seen = {ast.unparse(tree)}
    functions = [n for n in tree.body if isinstance(n, ast.FunctionDef)]
    for function in functions:
        nested = {n.name for n in ast.walk(function) if isinstance(n, ast.FunctionDef)}
        names = tensors(function)
        for i, node in enumerate(ast.walk(function)):
            found = [*of_call(node, names, nested | set(inner_functions) - {function.name}),
                     *of_condition(node)]
            for what, new in found:
                changed = _replaced(tree, functions.index(function), i, new)
                text = ast.unparse(changed)
                if text not in seen:
                    seen.add(text)
                    yield function.name, ast.unparse(node).split("\n")[0], what, changed


def _replaced(tree, which, index, new):
    tree = copy.deepcopy(tree)
    function = [n for n in tree.body if isinstance(n, ast.FunctionDef)][which]
    old = list(ast.walk(function))[index]

    class Put(ast.NodeTransformer):
        def visit(self, node):
            return new if node is old else self.generic_visit(node)

    Put().visit(function)
    return ast.fix_missing_locations(tree)
