"""Time (R1-R4): whole microseconds as Python integers, which never wrap."""

import math
import re
from decimal import Decimal
from fractions import Fraction

T_MIN = -9223372036854775000
T_MAX = 9223372036854775000
T_END = 9223371950454775000

UNIT_US = {"us": 1, "ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}
LONGEST_US = 3_652_500 * UNIT_US["d"]

DURATION = re.compile(r"\s*([+-]?[0-9]+(?:\.[0-9]+)?)\s*(us|ms|s|m|h|d)?\s*$")


class Refused(Exception):
    """A pipeline that section 12 refuses before it runs; the message starts with its code."""


def exact(number):
    """The number as it was written: YAML hands over a double, but its shortest decimal text is the text of the file."""
    return Fraction(Decimal(repr(number) if isinstance(number, float) else str(number)))


def scale(number, unit):
    """A time of a script in us; decimal text is floored (R4)."""
    if number in ("-inf", float("-inf")):
        return T_MIN
    if number in ("inf", float("inf")):
        return T_MAX
    if isinstance(number, int):
        return number * UNIT_US[unit]
    return math.floor(exact(number) * UNIT_US[unit])


def duration(value):
    """A duration of section 16: a number and a unit; a bare number is seconds."""
    match = DURATION.match(repr(value) if isinstance(value, float) else str(value))
    if not match:
        raise Refused(f"E105 '{value}': unit must be us, ms, s, m, h or d")
    return math.floor(exact(match.group(1)) * UNIT_US[match.group(2) or "s"])


def event_time(value, unit):
    """A stamp read from a field (R4): None if it is no time. Text and integers are floored, doubles are rounded to the nearest us."""
    if value is None or isinstance(value, bool):
        return None
    if unit == "ns":
        factor = Fraction(1, 1000)
    else:
        factor = Fraction(UNIT_US[unit])
    if isinstance(value, float):
        return math.floor(Fraction(value) * factor + Fraction(1, 2)) if math.isfinite(value) else None
    try:
        return math.floor(exact(value) * factor)
    except (ValueError, ArithmeticError):
        return None


def valid(stamp):
    return stamp is not None and T_MIN <= stamp < T_END
