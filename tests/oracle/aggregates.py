"""Aggregates (16.4), each a fold over the plain list of (stamp, value, weight) of one group, in arrival order."""

import math
from fractions import Fraction

import sketches
from expressions import compile_expression
from times import Refused

U = 2.0 ** -53
INT64 = range(-(1 << 63), 1 << 63)


class Overflow(Exception):
    """An integer result beyond int64."""


def order_key(value):
    """Orders numbers: -0.0 before 0.0, NaN last."""
    if isinstance(value, float):
        return math.isnan(value), 0 if math.isnan(value) else value, math.copysign(1, value)
    return False, value, 1


def null_first(value):
    return (False,) if value is None else (True, *order_key(value))


def standing(rows):
    """Without withdrawals of rows that an earlier pane gave away: only counts and integer sums take those (R78)."""
    return [row for row in rows if row[2] > 0]


def present(rows):
    return [value for _, value, _ in rows if value is not None]


def is_float(values):
    return any(isinstance(value, float) for value in values)


def has_nan(values):
    return any(isinstance(value, float) and math.isnan(value) for value in values)


def exact_sum(values):
    return sum((Fraction(value) for value in values), Fraction(0))


def count(rows, config):
    return sum(weight for _, _, weight in rows)


def add(rows, config):
    if is_float(present(rows)):
        values = present(standing(rows))
        return special(values) if not all(map(math.isfinite, values)) else float(exact_sum(values))
    total = sum(value * weight for _, value, weight in rows if value is not None)
    if total not in INT64:
        raise Overflow
    return total


def special(values):
    """The sum of floats that are not all finite."""
    total = 0.0
    for value in values:
        total += value
    return total


def minimum(rows, config):
    values = present(rows)
    return math.nan if has_nan(values) else min(values, key=order_key, default=None)


def maximum(rows, config):
    values = present(rows)
    return math.nan if has_nan(values) else max(values, key=order_key, default=None)


def mean(rows, config):
    values = present(rows)
    if not values:
        return None
    if not all(map(math.isfinite, values)):
        return special(values) / len(values)
    return float(exact_sum(values) / len(values))


def squares(values):
    """m2, the sum of squared distances from the mean, exactly."""
    center = exact_sum(values) / len(values)
    return sum((Fraction(value) - center) ** 2 for value in values)


def variance(rows, config):
    values = present(rows)
    degrees = len(values) - (0 if config.get("population", False) else 1)
    if degrees < 1:
        return None
    if not all(map(math.isfinite, values)):
        return math.nan
    return float(squares(values) / degrees)


def stddev(rows, config):
    value = variance(rows, config)
    return None if value is None else math.sqrt(value)


def any_of(rows, config):
    return any(present(rows))


def all_of(rows, config):
    return all(present(rows))


def group(rows, config):
    return [value for _, value, _ in rows]


def concat(rows, config):
    return [item for value in present(rows) for item in value]


def first(rows, config):
    return min(rows, key=lambda row: (row[0], null_first(row[1])), default=(0, None, 1))[1]


def last_of(rows, config):
    return max(rows, key=lambda row: (row[0], null_first(row[1])), default=(0, None, 1))[1]


def top(rows, config):
    """Lists of structs with their rank; ties by the remaining fields ascending; NaN and null last."""
    by, descending = config["by"], config.get("order", "desc") == "desc"

    def key(value):
        rank = value[by]
        lost = rank is None or (isinstance(rank, float) and math.isnan(rank))
        number = 0 if lost else rank
        sign = 0 if lost else math.copysign(1, rank)
        rest = [null_first(value[name]) for name in value if name != by]
        return lost, -number if descending else number, -sign if descending else sign, rest

    best = sorted((value for _, value, _ in rows), key=key)[:config["n"]]
    return [{**value, "rank": rank} for rank, value in enumerate(best, 1)]


def approx_distinct(rows, config):
    return sketches.distinct(present(rows), config.get("precision", 12))


def approx_quantile(rows, config):
    return sketches.quantiles(present(rows), config)


FUNCTIONS = {"count": count, "sum": add, "min": minimum, "max": maximum, "mean": mean, "variance": variance, "stddev": stddev,
             "any": any_of, "all": all_of, "group": group, "concat": concat, "first": first, "last": last_of, "top": top,
             "approx_distinct": approx_distinct, "approx_quantile": approx_quantile}


def tolerance(name, rows, result, config):
    """The stated bound of 16.4 for a float result, as an absolute difference; 0 where the result is exact."""
    if not isinstance(result, float) or not math.isfinite(result) or name in ("min", "max", "first", "last", "approx_quantile"):
        return 0.0
    values = [float(value) for value in present(standing(rows))]
    n, size = len(values), math.fsum(map(abs, values))
    if name == "sum":
        return 2 * n * U * size
    if name == "mean":
        return 2 * U * size + U * abs(result)
    m2 = float(squares(values))
    center = math.fsum(values) / n
    relative = 4 * n * U * math.sqrt(1 + n * center * center / m2) if m2 else 0.0
    # A sum of squares that is exactly 0 may come out as the square of the mean's own error.
    floor = n * (2 * U * size / n) ** 2
    variance = result if name == "variance" else result * result
    bound = relative * variance + floor + 4 * U * variance
    return bound if name == "variance" else bound / (2 * result) + 2 * U * result if result else math.sqrt(bound)


class Column:
    """One output column of a Combine: where its values come from and what folds them."""

    def __init__(self, name, spec):
        spec = {"fn": spec} if isinstance(spec, str) else spec
        fn = spec["fn"]
        self.name = name
        self.value = spec.get("value", name)
        self.fn, self.config = (fn, {}) if isinstance(fn, str) else (fn["type"], fn.get("config", {}))
        if self.fn not in FUNCTIONS:
            raise Refused(f"E101 aggregate '{self.fn}'")
        if isinstance(self.value, dict):
            parts = {field: compile_expression(text) for field, text in self.value.items()}
            self.value_of = lambda fields: {field: part(fields) for field, part in parts.items()}
        elif self.fn == "count":
            # Counts rows whatever their value: the column may name no field.
            self.value_of = lambda fields: 1
        else:
            self.value_of = compile_expression(self.value)

    def fold(self, rows):
        return FUNCTIONS[self.fn](rows if self.fn in ("count", "sum") else standing(rows), self.config)
