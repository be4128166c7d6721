"""Bugs by the hundred: every small change of a function's source that a tired hand could make.

`changes(tree)` yields, for a function or a module, one changed copy after the other:

    rewired   a layer, merge, block, model or return reads another tensor of the same function
    dropped   an activation, normalization, dropout, pool, padding, crop, operation, block or one
              input of a merge left out
    doubled   the same twice
    moved     two steps in a row exchanged (BN behind its relu, a norm behind its pool)
    swapped   maximum for average pooling, the inputs of a merge or the two ends of a padding,
              the strides of two layers
    reset     a keyword left out (strides, bias, padding, epsilon, how weights start …)
    set       a number, a flag, a word or a default taken for another; BN as PyTorch sets it, a
              dropout that never switches off or of a tenth of its rate, kernels that start as ones
    turned    a condition taken for its contrary, >= for >, a part of it or a refusal left out
    renamed   a layer, and so an exit, that loses its name
    table     two rows of a module's table exchanged, or a flag, a word or a number below 10 in it
              changed (stride, kernel, count; of the widths their sums are proved)
"""

import ast
import builtins
import collections
import copy
from typing import NamedTuple

OPTIONAL = {"Activation", "BatchNormalization", "Dropout", "MaxPooling2D", "AveragePooling2D",
            "ZeroPadding2D", "Cropping2D", "Rescaling", "Normalization"}
POOLS = {"MaxPooling2D": "AveragePooling2D", "AveragePooling2D": "MaxPooling2D"}
RESET = {"strides", "padding", "use_bias", "epsilon", "scale", "kernel_initializer", "keepdims",
         "depthwise_initializer", "groups", "gamma_initializer", "noise_shape", "activation"}
WORDS = {"relu": "tanh", "tanh": "relu", "relu6": "relu", "silu": "relu", "softmax": "sigmoid",
         "sigmoid": "softmax", "linear": "relu", "same": "valid", "valid": "same", "ones": "zeros",
         "zeros": "ones", "he_normal": "glorot_uniform", "glorot_uniform": "he_normal",
         "fan_out": "fan_in", "uniform": "normal", "projection": "pad", "pad": "projection",
         "flatten": "gap", "gap": "flatten", "average": "max", "max": "average"}
COMPARED = {ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Eq: ast.NotEq,
            ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot,
            ast.IsNot: ast.Is}
OPERATORS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult,
             ast.Div: ast.Mult, ast.Pow: ast.Mult}


class Change(NamedTuple):
    """function: or table. code: what is changed there, or for a word its statement. tree: all of it."""

    function: str
    code: str
    kind: str
    what: str
    tree: ast.AST


def class_of(node):
    """The class of `layers.Class(…)`, or ""."""
    func = getattr(node, "func", None)
    known = isinstance(func, ast.Attribute) and getattr(func.value, "id", "") == "layers"
    return func.attr if isinstance(node, ast.Call) and known else ""


def layer_of(node):
    """The class of `layers.Class(…)(…)`, or ""."""
    return class_of(getattr(node, "func", None)) if isinstance(node, ast.Call) else ""


def operation(node):
    """Whether it is `ops.something(…)`."""
    func = getattr(node, "func", None)
    return isinstance(func, ast.Attribute) and getattr(func.value, "id", "") == "ops"


def makes(node, names):
    """Whether the node is a tensor: a known name, a layer, an operation, or a block called on one."""
    if isinstance(node, ast.Name):
        return node.id in names
    if not isinstance(node, ast.Call):
        return False
    own = isinstance(node.func, ast.Name) and not hasattr(builtins, node.func.id)
    return bool(layer_of(node) or operation(node)
                or own and node.args and makes(node.args[0], names))


def tensors(function):
    """Names of the function that hold a tensor."""
    names = []
    for _ in range(3):
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and (layer_of(node) or operation(node)) and node.args:
                first = node.args[0]
                parts = first.elts if isinstance(first, ast.List) else [first]
                names += [part.id for part in parts if isinstance(part, ast.Name)]
            if isinstance(node, ast.Assign) and makes(node.value, names):
                names += [target.id for target in node.targets if isinstance(target, ast.Name)]
    return list(dict.fromkeys(names))


def _but(node, **fields):
    """A copy of the node with these fields."""
    new = copy.copy(node)
    for key, value in fields.items():
        setattr(new, key, value)
    return new


def _with(call, **values):
    kept = [k for k in call.keywords if k.arg not in values]
    return _but(call, keywords=kept + [ast.keyword(key, ast.Constant(value))
                                       for key, value in values.items() if value is not ...])


def _at(items, i, *new):
    return [*items[:i], *new, *items[i + 1:]]


def of_call(node, names):
    """(kind, what, changed node) for a call."""
    kind, made = layer_of(node), makes(node, names)
    if made and node.args:
        first, rest = node.args[0], node.args[1:]
        if (kind in OPTIONAL or not kind) and not isinstance(first, ast.List):
            yield "dropped", "", first
        if kind in OPTIONAL:
            once = _but(node, func=_with(node.func, name=...))
            yield "doubled", "", _but(node, args=[once, *rest])
        if isinstance(first, ast.Name):
            for name in names:
                yield "rewired", f"to {name}", _but(node, args=[ast.Name(name, ast.Load()), *rest])
        if kind == "Dropout":
            yield "set", "never to switch off", _with(node, training=True)
    model = ast.unparse(node.func) == "keras.Model"
    for place, read in enumerate(node.args):
        if model and place == 1 and isinstance(read, ast.Name):
            for name in names:
                new = ast.Name(name, ast.Load())
                yield "rewired", f"to {name}", _but(node, args=_at(node.args, place, new))
        if (made or model) and isinstance(read, ast.List):
            def merge(elements):
                return _but(node, args=_at(node.args, place, ast.List(elements, ast.Load())))
            if len(read.elts) > 1:
                yield "swapped", "inputs", merge(read.elts[::-1])
            for i, element in enumerate(read.elts):
                if len(read.elts) > 1:
                    yield "dropped", f"input {i}", merge(_at(read.elts, i))
                for name in names if not isinstance(element, ast.Starred) else ():
                    yield ("rewired", f"input {i} to {name}",
                           merge(_at(read.elts, i, ast.Name(name, ast.Load()))))
    config = class_of(node)
    if config in POOLS:
        yield "swapped", "pool", _but(node, func=_but(node.func, attr=POOLS[config]))
    if config == "BatchNormalization":
        yield "set", "to PyTorch's momentum", _with(node, momentum=0.9)
        yield "set", "to PyTorch's epsilon", _with(node, epsilon=1e-5)
    if config == "Dropout":
        tenth = ast.BinOp(node.args[0], ast.Div(), ast.Constant(10))
        yield "set", "to a tenth of its rate", _but(node, args=[tenth])
    if config.endswith(("Conv2D", "Conv2DTranspose", "Dense")) and config:
        key = "depthwise_initializer" if config.startswith("Depth") else "kernel_initializer"
        if not any(k.arg is None for k in node.keywords):
            yield "set", "to start as ones", _with(node, **{key: "ones"})
    settings = config or getattr(node.func, "id", "") == "dict"
    for keyword in node.keywords:
        if keyword.arg == "name" and (config or made or model):
            yield "renamed", "", _with(node, name=...)
        elif keyword.arg and (keyword.arg in RESET if settings else made and not operation(node)):
            yield "reset", keyword.arg, _with(node, **{keyword.arg: ...})


def of_value(node):
    """(kind, what, changed node) for a number, flag, word, operator or list of two ends."""
    if isinstance(node, ast.Constant):
        value = node.value
        if isinstance(value, bool):
            yield "set", f"{value} to {not value}", ast.Constant(not value)
        elif isinstance(value, int):
            new = {2: 1, 3: 5}.get(value, value + 1)
            yield "set", f"{value} to {new}", ast.Constant(new)
        elif isinstance(value, float):
            yield "set", f"{value:g} to its half", ast.Constant(value / 2 or 0.5)
        elif value in WORDS:
            yield "set", f"{value} to {WORDS[value]}", ast.Constant(WORDS[value])
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS and not any(
            isinstance(n, (ast.JoinedStr, ast.List)) or isinstance(getattr(n, "value", 0), str)
            for n in (node.left, node.right)):
        yield "set", "to another operator", _but(node, op=OPERATORS[type(node.op)]())
    if isinstance(node, ast.List) and len(node.elts) == 2 and all(
            isinstance(e, (ast.Constant, ast.Name)) for e in node.elts):
        yield "swapped", "ends", _but(node, elts=node.elts[::-1])


def of_condition(node):
    """(kind, what, changed node) for a condition or a part of one."""
    if isinstance(node, ast.If) and any(isinstance(n, ast.Raise) for n in node.body):
        yield "turned", "refusal left out", _but(node, test=ast.Constant(False))
    elif isinstance(node, (ast.If, ast.IfExp)):
        yield "turned", "", _but(node, test=ast.UnaryOp(ast.Not(), node.test))
    if isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            yield "turned", "comparison", _but(node, ops=_at(node.ops, i, COMPARED[type(op)]()))
    if isinstance(node, ast.BoolOp):
        for i, part in enumerate(node.values):
            rest = _at(node.values, i)
            new = _but(node, values=rest) if len(rest) > 1 else rest[0]
            yield "turned", f"without {ast.unparse(part)}", new


def of_body(node, names):
    """(kind, what, changed node): a return of another tensor, or two steps in a row exchanged."""
    if isinstance(node, ast.Return) and isinstance(node.value, ast.Name) and node.value.id in names:
        for name in names:
            yield "rewired", f"to {name}", _but(node, value=ast.Name(name, ast.Load()))
    body = getattr(node, "body", None)
    for i, (one, two) in enumerate(zip(body, body[1:]) if isinstance(body, list) else ()):
        (a, first), (b, second) = step(one, names), step(two, names)
        if a and b and first.targets[0].id == second.targets[0].id == _read(second) and (
                _read(first) == _read(second) or two is second):
            ahead, behind = copy.deepcopy(two), copy.deepcopy(one)
            step(ahead, names)[1].value.args[0] = copy.deepcopy(first.value.args[0])
            step(behind, names)[1].value.args[0] = ast.Name(_read(second), ast.Load())
            yield ("moved", f"behind {ast.unparse(second.value)}",
                   _but(node, body=[*body[:i], ahead, behind, *body[i + 2:]]))


def step(statement, names):
    """(whether the statement is `y = layer(x)`, under a condition or not, and that assignment)."""
    inner = statement
    if isinstance(inner, ast.If) and len(inner.body) == 1 and not inner.orelse:
        inner = inner.body[0]
    good = isinstance(inner, ast.Assign) and isinstance(inner.targets[0], ast.Name) and isinstance(
        inner.value, ast.Call) and makes(inner.value, names)
    return good, inner


def _read(statement):
    return getattr(statement.value.args[0], "id", None)


def of_strides(function):
    """(kind, what, changed function): the strides of two layers exchanged."""
    def places(tree):
        return [n for n in ast.walk(tree) if class_of(n).endswith(("Conv2D", "Pooling2D"))
                or isinstance(n, ast.Call) and any(k.arg == "strides" for k in n.keywords)]

    for i, one in enumerate(places(function)):
        for j, two in enumerate(places(function)[:i]):
            new = copy.deepcopy(function)
            pair = [places(new)[i], places(new)[j]]
            kept = [[k for k in call.keywords if k.arg == "strides"] for call in pair]
            if [ast.unparse(k) for k in kept[0]] == [ast.unparse(k) for k in kept[1]]:
                continue
            for call, mine, other in zip(pair, kept, kept[::-1]):
                call.keywords = [k for k in call.keywords if k not in mine] + other
            yield "swapped", f"strides with {ast.unparse(two)}", new


def of_table(node):
    """(kind, what, changed node): two rows of a table exchanged, or one number in it changed."""
    if isinstance(node, (ast.List, ast.Tuple)) and any(
            isinstance(e, (ast.List, ast.Tuple)) for e in node.elts):
        for i, (one, two) in enumerate(zip(node.elts, node.elts[1:])):
            yield "table", f"rows {i} and {i + 1}", _but(
                node, elts=[*node.elts[:i], two, one, *node.elts[i + 2:]])
    if isinstance(node, ast.Constant) and (not isinstance(node.value, int) or node.value < 10):
        for _, what, new in of_value(node):
            yield "table", what, new


class Opened(ast.NodeTransformer):
    """`return layer(y)` as `y = layer(y)` and `return y`: a step that can change places."""

    def visit_Return(self, node):
        name = _read(node) if isinstance(node.value, ast.Call) and node.value.args else None
        if not name or not makes(node.value, [name]) or ast.unparse(node.value.func) == "keras.Model":
            return node
        return [ast.Assign([ast.Name(name, ast.Store())], node.value, lineno=0),
                ast.Return(ast.Name(name, ast.Load()))]


def changes(tree):
    """Every `Change` of a module or of a function's source: each a single one, no two the same.

    Of changes told in the same words the second ends in "(2)", and so on.
    """
    told = collections.Counter()
    for index, part in enumerate(tree.body):
        name = getattr(part, "name", None) or ast.unparse(getattr(part, "targets", [part])[0])
        if not isinstance(part, (ast.FunctionDef, ast.Assign)):
            continue
        part = Opened().visit(copy.deepcopy(part))
        names, seen = tensors(part), {ast.unparse(part)}
        silent = {id(n) for node in ast.walk(part) if isinstance(node, (ast.Raise, ast.JoinedStr))
                  for n in ast.walk(node)}
        within = {id(n): s for s in ast.walk(part) if isinstance(s, ast.stmt) for n in ast.walk(s)}
        for i, node in enumerate(ast.walk(part)):
            if id(node) in silent:
                continue
            if isinstance(part, ast.Assign):
                found = of_table(node)
            else:
                found = [*(of_call(node, names) if isinstance(node, ast.Call) else ()),
                         *of_value(node), *of_condition(node), *of_body(node, names),
                         *(of_strides(node) if node is part else ())]
            for kind, what, new in found:
                changed = _replaced(part, i, new)
                text = ast.unparse(changed)
                if text not in seen:
                    seen.add(text)
                    module = ast.Module(_at(tree.body, index, changed), [])
                    code = ast.unparse(node)
                    code = code if len(code) > 12 else ast.unparse(within[id(node)])
                    key = name, code.split("\n")[0], kind
                    told[*key, what] += 1
                    again = told[*key, what]
                    yield Change(*key, f"{what} ({again})" if again > 1 else what, module)


def _replaced(part, i, new):
    part = copy.deepcopy(part)
    old = list(ast.walk(part))[i]

    class Put(ast.NodeTransformer):
        def visit(self, node):
            return new if node is old else self.generic_visit(node)

    return ast.fix_missing_locations(Put().visit(part))
