"""Windows (R5-R13, R77). A window is a pair (start, end), half open."""

from times import LONGEST_US, T_END, T_MIN, Refused, duration


def last(window):
    return window[1] - 1


def expiry(window, lateness):
    return min(window[1] + lateness, T_END)


def clip(start, end):
    return max(start, T_MIN), min(end, T_END)


class Fixed:
    merging = False

    def __init__(self, size, offset):
        self.size, self.offset = size, offset

    def assign(self, stamp):
        start = (stamp - self.offset) // self.size * self.size + self.offset
        return [clip(start, start + self.size)]


class Sliding:
    merging = False

    def __init__(self, size, period, offset):
        self.size, self.period, self.offset = size, period, offset

    def assign(self, stamp):
        start = (stamp - self.offset) // self.period * self.period + self.offset
        windows = []
        while stamp - self.size < start:
            windows.append(clip(start, start + self.size))
            start -= self.period
        return windows


class Sessions:
    merging = True

    def __init__(self, gap):
        self.gap = gap

    def assign(self, stamp):
        return [clip(stamp, stamp + self.gap)]


class Global:
    merging = False

    def assign(self, stamp):
        return [(T_MIN, T_END)]


def sessions_of(windows):
    """Groups of overlapping windows, by sorting (R9): touching is not overlapping."""
    groups = []
    running_end = None
    for window in sorted(set(windows)):
        if groups and window[0] < running_end:
            groups[-1].append(window)
            running_end = max(running_end, window[1])
        else:
            groups.append([window])
            running_end = window[1]
    return groups


def span(windows):
    return min(w[0] for w in windows), max(w[1] for w in windows)


def positive(spec, key):
    if key not in spec:
        raise Refused(f"E104 {spec['type']} windows need '{key}'")
    value = duration(spec[key])
    if value <= 0:
        raise Refused(f"E110 {key} must be positive, is {spec[key]}")
    if value > LONGEST_US:
        raise Refused(f"E113 {key} is too long")
    return value


def window_function(spec):
    """The window type of a `windowing` map. A YAML offset is reduced by floor modulo (W211)."""
    kind = spec["type"]
    if kind == "global":
        return Global()
    if kind == "fixed":
        size = positive(spec, "size")
        return Fixed(size, duration(spec.get("offset", 0)) % size)
    if kind == "sliding":
        size, period = positive(spec, "size"), positive(spec, "period")
        if -(-size // period) > 4096:
            raise Refused(f"E112 each row would fall in {-(-size // period)} windows")
        return Sliding(size, period, duration(spec.get("offset", 0)) % period)
    if kind == "sessions":
        return Sessions(positive(spec, "gap"))
    raise Refused(f"E101 window type '{kind}'")
