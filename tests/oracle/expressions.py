"""Expressions of 16.4: `generic` (a field, a literal, one comparison) and the subset of `python`."""

import ast
import operator

from times import Refused

COMPARE = {ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge}
ARITHMETIC = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
              ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod}
FUNCTIONS = {"int": int, "float": float, "str": str, "len": len}


class RowError(Exception):
    """A row that an expression cannot take."""


def compile_expression(text):
    """A function of a row's fields. Both languages are read by one parser: what generic allows means the same in python."""
    if isinstance(text, dict):
        text = text["expression"]
    if not isinstance(text, str):
        return lambda fields: text
    tree = ast.parse(text.strip(), mode="eval").body

    def evaluate(fields):
        try:
            return value(tree, fields)
        except (TypeError, ValueError, ZeroDivisionError) as error:
            raise RowError(str(error)) from error

    return evaluate


def in_range(result):
    """An integer is one of 64 bits."""
    if isinstance(result, int) and not -(1 << 63) <= result < 1 << 63:
        raise ValueError("beyond 64 bits")
    return result


def value(tree, fields):
    if isinstance(tree, ast.Constant):
        return tree.value
    if isinstance(tree, ast.Name):
        if tree.id not in fields:
            raise Refused(f"E140 no field '{tree.id}'")
        return fields[tree.id]
    if isinstance(tree, ast.Attribute):
        return value(tree.value, fields)[tree.attr]
    if isinstance(tree, ast.Compare) and len(tree.ops) == 1:
        return COMPARE[type(tree.ops[0])](value(tree.left, fields), value(tree.comparators[0], fields))
    if isinstance(tree, ast.BinOp):
        return in_range(ARITHMETIC[type(tree.op)](value(tree.left, fields), value(tree.right, fields)))
    if isinstance(tree, ast.UnaryOp):
        operand = value(tree.operand, fields)
        return not operand if isinstance(tree.op, ast.Not) else in_range(-operand)
    if isinstance(tree, ast.BoolOp):
        results = (value(part, fields) for part in tree.values)
        return all(results) if isinstance(tree.op, ast.And) else any(results)
    if isinstance(tree, ast.IfExp):
        return value(tree.body if value(tree.test, fields) else tree.orelse, fields)
    if isinstance(tree, ast.Call):
        return FUNCTIONS[tree.func.id](*(value(argument, fields) for argument in tree.args))
    raise Refused(f"E107 expression '{ast.unparse(tree)}'")
