"""Random rows and columns for the fuzzer (18.2): every aggregate over every type that it takes."""

import math

NUMBERS = ("integer", "number")
SCALARS = ("integer", "number", "boolean", "string")
# fn: the types it takes.
TAKES = {"count": SCALARS, "sum": NUMBERS, "min": SCALARS, "max": SCALARS, "mean": NUMBERS, "variance": NUMBERS, "stddev": NUMBERS, "any": ("boolean",),
         "all": ("boolean",), "group": SCALARS + ("struct",), "first": SCALARS, "last": SCALARS, "concat": ("list",), "top": NUMBERS,
         "approx_distinct": SCALARS, "approx_quantile": NUMBERS}
FIELDS = {"x": "number", "b": "boolean", "s": "string"}
INPUT = {"key": "string", "value": "integer", **FIELDS}
LARGE = [2 ** 62, -(2 ** 62), 2 ** 63 - 1, -(2 ** 63)]
SPECIAL = [math.nan, math.inf, -math.inf, -0.0]


class Type:
    """Of a field: its name in TAKES, of a list also the type of its members."""

    def __init__(self, name, member=None):
        self.name, self.member = name, member


def input_schema():
    return {field: Type(name) for field, name in INPUT.items()}


def random_fields(rng, wild):
    """`wild`: with values at the ends of their types."""
    def nullable(value):
        return None if rng.random() < 0.12 else value

    number = rng.choice([-2.0, -0.5, 0.0, 0.25, 0.5, 3.0]) if rng.random() < 0.5 else rng.uniform(-1000, 1000)
    return {"value": nullable(rng.choice(LARGE) if wild and rng.random() < 0.1 else rng.randint(-20, 20)), "b": nullable(rng.random() < 0.7),
            "s": nullable(rng.choice(["p", "q", "r", "s", "", "pp", "é"])), "x": nullable(rng.choice(SPECIAL) if wild and rng.random() < 0.1 else number)}


def column(rng, schema, fn):
    """A column of `fn` and its type (None: a later step cannot compare it exactly); None if no field fits."""
    fields = sorted(field for field, kind in schema.items() if kind.name in TAKES[fn])
    if fn == "count" and rng.random() < 0.5:
        return "count", Type("integer")
    if not fields:
        return None
    field = rng.choice(fields)
    kind = schema[field]
    if fn == "top":
        scalars = sorted(field for field, each in schema.items() if each.name in SCALARS)
        others = rng.sample(scalars, min(len(scalars), rng.randint(0, 2)))
        config = {"n": rng.randint(1, 3), "by": "by", "order": rng.choice(["desc", "asc"])}
        return {"value": {"by": field, **{f"f{i}": other for i, other in enumerate(others)}}, "fn": {"type": fn, "config": config}}, None
    if fn in ("variance", "stddev"):
        return {"value": field, "fn": {"type": fn, "config": {"population": rng.random() < 0.5}}}, None
    if fn == "approx_distinct":
        return {"value": field, "fn": {"type": fn, "config": {"precision": rng.choice([4, 5, 8, 12, 18])}}}, Type("integer")
    if fn == "approx_quantile":
        q = [rng.choice([0, 0.25, 0.5, 0.9, 1, round(rng.random(), 3)]) for _ in range(rng.randint(0, 3))]
        config = {"q": q or rng.random(), "accuracy": rng.choice([0.0001, 0.01, 0.2, 0.5])}
        return {"value": field, "fn": {"type": fn, "config": config}}, Type("list", Type("number")) if q else Type("number")
    spec = {"value": field, "fn": fn}
    if fn == "count":
        return spec, Type("integer")
    if fn in ("any", "all"):
        return spec, kind
    if fn == "group":
        return spec, Type("list", kind) if kind.name in SCALARS else None
    if fn == "mean" or (fn == "sum" and kind.name == "number"):
        return spec, None
    return spec, kind


def combine(rng, schema, least=1, suffix=""):
    """Random columns (`suffix` of their names tells steps apart), and the types of those that a later step may read."""
    columns, types = {}, {}
    wanted = rng.randint(least, 5)
    while len(columns) < wanted:
        fn = rng.choice(sorted(TAKES))
        made = column(rng, schema, fn)
        if made is None:
            continue
        name = f"{fn}{len(columns)}{suffix}"
        columns[name] = made[0]
        if made[1] is not None:
            types[name] = made[1]
    return columns, types
