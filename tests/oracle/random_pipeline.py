"""Random pipelines of several steps for the fuzzer (18.2): row transforms between them, several producers and consumers, `append` and `replace`."""

import copy

from random_columns import Type, combine, input_schema
from random_strategy import accepted, trigger, window_type, windowing
from strategy import Strategy


class Flow:
    """The rows that leave a transform: their fields, and the steps whose panes they are."""

    def __init__(self, name, schema, strategy=None, several_panes=False, accumulating=True):
        self.name, self.schema, self.strategy = name, schema, strategy or Strategy()
        self.several_panes, self.accumulating = several_panes, accumulating
        self.of_one_step = True

    def then(self, name, schema=None):
        flow = copy.copy(self)
        flow.name, flow.schema = name, self.schema if schema is None else schema
        return flow

    def fields(self, *kinds):
        return sorted(field for field, kind in self.schema.items() if kind.name in kinds)


class Graph:
    def __init__(self, rng, size):
        self.rng, self.size = rng, size
        self.transforms = [{"type": "Create", "name": "Input", "config": {"elements": []}}]

    def add(self, kind, inputs, config=None, spec=None):
        name = f"{kind}{len(self.transforms)}"
        self.transforms.append({"type": kind, "name": name, "input": inputs, **({"windowing": spec} if spec else {}), **({"config": config} if config else {})})
        return name

    # Row transforms

    def filter(self, flow):
        choices = [f"{field} {test}" for field in flow.fields("integer") for test in ("> 3", "!= 2", "<= 40", ">= -5")]
        choices += [f'{field} != "p"' for field in flow.fields("string")]
        return flow.then(self.add("Filter", flow.name, {"keep": self.rng.choice(choices)})) if choices else flow

    def map(self, flow, change=True):
        """Also leaves out what no later step may read."""
        if not flow.schema:
            return flow
        integers = flow.fields("integer")
        fields = {field: field for field in flow.schema}
        if integers and change:
            changed, other = self.rng.choice(integers), self.rng.choice(integers)
            fields[changed] = self.rng.choice([f"{changed} * 2", f"{changed} - 1", f"{changed} + {other}", f"{changed} % 5"])
        return flow.then(self.add("MapToFields", flow.name, {"language": "python", "fields": fields}))

    def explode(self, flow):
        lists = flow.fields("list")
        if not lists:
            return flow
        field = self.rng.choice(lists)
        return flow.then(self.add("Explode", flow.name, {"fields": field}), {**flow.schema, field: flow.schema[field].member})

    def extract(self, flow):
        number = len(self.transforms)
        asked = {f"at{number}": "timestamp", f"start{number}": "window_start", f"end{number}": "window_end", f"pane{number}": "pane_info"}
        if not flow.of_one_step:
            asked = {f"at{number}": "timestamp", f"start{number}": "timestamp"}
        kinds = {name: Type("struct" if what == "pane_info" else "integer") for name, what in asked.items()}
        flow = flow.then(self.add("ExtractWindowingInfo", flow.name, {"fields": asked}), {**flow.schema, **kinds})
        if self.rng.random() < 0.5:
            stamp = self.rng.choice([f"at{number} - 3", f"at{number} + 4", f"start{number}", f"at{number} - at{number} % 5"])
            flow = flow.then(self.add("AssignTimestamps", flow.name, {"timestamp": stamp, "language": "python", "unit": "us"}))
        return flow

    def both(self, flow):
        """Two ways for the same rows, joined again."""
        if not flow.schema:
            return flow
        flow = self.map(flow, change=False)
        one, two = self.filter(flow), self.map(flow)
        return flow.then(self.add("Flatten", [one.name, two.name]))

    def between(self, flow):
        ways = [(self.filter, 0.25), (self.map, 0.25), (self.extract, 0.2), (self.explode, 0.15), (self.both, 0.12)]
        for way, chance in self.rng.sample(ways, len(ways)):
            if self.rng.random() < chance:
                flow = way(flow)
        return flow

    # Steps

    def random_windowing(self, flow, replace):
        """A windowing map that the step may have (None: given windows, or what it inherits), and the strategy that it makes."""
        size = self.rng.choice([self.size, self.size * 2, self.size * 3 // 2])
        while True:
            kind = self.rng.random()
            if not flow.strategy.given:
                spec = windowing(self.rng, self.size)
            elif kind < 0.3:
                spec = None
            elif kind < 0.5:
                spec = {"trigger": trigger(self.rng, self.rng.randint(1, 3))}
            elif kind < 0.7:
                spec = window_type(self.rng, size)
            else:
                spec = windowing(self.rng, size)
            strategy = accepted(spec, flow.strategy)
            if strategy is not None and not (replace and strategy.merging and not strategy.given):
                return spec, strategy

    def group_by(self, flow):
        fields = flow.fields("integer", "string", "boolean")
        kind = self.rng.random()
        if kind < 0.35 or not fields:
            return []
        if kind < 0.75 and "key" in fields:
            return ["key"]
        return self.rng.sample(fields, min(len(fields), self.rng.choice([1, 1, 2])))

    def step(self, flow, group=None, spec=None, columns=None):
        replace = flow.several_panes and flow.accumulating and self.rng.random() < 0.6
        if spec is None:
            spec, strategy = self.random_windowing(flow, replace)
        else:
            strategy = accepted(spec, flow.strategy)
        group = self.group_by(flow) if group is None else group
        columns, types = columns or combine(self.rng, flow.schema, 2, f"_{len(self.transforms)}")
        config = {"group_by": group, "combine": columns}
        if flow.several_panes:
            config["input_panes"] = "replace" if replace else "append"
        self.last = group, spec, (columns, types)
        name = flow.name
        if spec and self.rng.random() < 0.15:
            name, spec = self.add("WindowInto", name, spec=spec), None
        schema = {**{field: flow.schema[field] for field in group}, **types}
        return Flow(self.add("Combine", name, config, spec), schema, strategy.continued(), strategy.several_panes(), strategy.accumulating)

    def producers(self):
        """The first step, or two of the same kind over other rows."""
        rows = Flow("Input", input_schema())
        if self.rng.random() < 0.3:
            rows = self.rng.choice([self.filter, self.map])(rows)
        flow = self.step(rows, ["key"] if self.rng.random() < 0.8 else None)
        if self.rng.random() < 0.15:
            twin = self.step(self.filter(rows), *self.last)
            flow = flow.then(self.add("Flatten", [flow.name, twin.name]))
            flow.of_one_step = False
        return flow

    def build(self):
        flows = [self.producers()]
        for _ in range(self.rng.choice([0, 1, 1, 1, 2])):
            flows.append(self.step(self.between(flows[-1])))
        if self.rng.random() < 0.25:
            self.step(self.between(self.rng.choice(flows)))
        return {"type": "composite", "transforms": self.transforms}


def pipeline(rng, size):
    return Graph(rng, size).build()
