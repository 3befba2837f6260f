"""The windowing of a collection (16.2): what a step groups by, and what its rows carry on (R63, R67, R76)."""

import copy

from times import LONGEST_US, Refused, duration
from trigger_text import check_size, trigger
from triggers import Default, EndOfWindow, EndOfWindowWithParts
from windows import Global, window_function

WINDOW_KEYS = {"type", "size", "period", "gap", "offset"}
CHOICES = {"accumulation_mode": ("discarding", "accumulating", "retracting"),
           "timestamp_combiner": ("end_of_window", "earliest_in_pane", "latest_in_pane"),
           "closing_behavior": ("emit_if_nonempty", "emit_always"),
           "on_time_behavior": ("fire_always", "fire_if_nonempty")}


class Strategy:
    def __init__(self):
        self.window_fn = Global()
        self.merging = False         # of the window type, also where given windows no longer merge (R77)
        self.given = False           # rows keep the windows of the panes they are (R77)
        self.trigger = Default()
        self.lateness = 0
        self.accumulating = False
        self.stamp = "end_of_window"
        self.closing_always = False
        self.on_time_always = True
        self.explicit = set()        # the keys somebody wrote, for E125 and E126

    def with_windowing(self, spec):
        """`windowing` replaces the keys it gives; L is the larger one (R76)."""
        result = copy.copy(self)
        result.explicit = self.explicit | set(spec)
        if spec.get("type") == "calendar":
            raise Refused("E101 calendar windows come in a later version")
        unknown = set(spec) - WINDOW_KEYS - set(CHOICES) - {"trigger", "allowed_lateness"}
        if unknown:
            raise Refused(f"E100 unknown key '{sorted(unknown)[0]}' in windowing")
        for key, values in CHOICES.items():
            if key in spec and spec[key] not in values:
                raise Refused(f"E141 '{spec[key]}' is no {key}")
        if "type" in spec:
            result.window_fn = window_function(spec)
            result.merging, result.given = result.window_fn.merging, False
        if "trigger" in spec:
            result.trigger = trigger(spec["trigger"])
        if "allowed_lateness" in spec:
            lateness = duration(spec["allowed_lateness"])
            if lateness < 0:
                raise Refused("E113 allowed_lateness must not be negative")
            if lateness > LONGEST_US:
                raise Refused("E113 allowed_lateness is too long")
            result.lateness = max(self.lateness, lateness)
        if "accumulation_mode" in spec:
            if spec["accumulation_mode"] == "retracting":
                raise Refused("E127 retracting is not supported; see tombstones")
            result.accumulating = spec["accumulation_mode"] == "accumulating"
        result.stamp = spec.get("timestamp_combiner", self.stamp)
        if "closing_behavior" in spec:
            result.closing_always = spec["closing_behavior"] == "emit_always"
        if "on_time_behavior" in spec:
            result.on_time_always = spec["on_time_behavior"] == "fire_always"
        return result

    def continued(self):
        """The strategy of the rows that leave a step."""
        result = copy.copy(self)
        result.given = True
        result.trigger = self.trigger.continuation()
        return result

    def several_panes(self):
        """More than one pane per row id is possible (R67)."""
        return not isinstance(self.trigger, Default) or (self.lateness > 0 and not isinstance(self.window_fn, Global))

    def check(self, allow_unsafe):
        check_size(self.trigger)
        at_end = isinstance(self.trigger, (EndOfWindow, EndOfWindowWithParts))
        safe = not self.trigger.may_finish or (at_end and self.lateness == 0)
        if not safe and not allow_unsafe:
            raise Refused("E124 trigger may finish and then drop data; wrap it in repeat")
        if not isinstance(self.trigger, Default) and "allowed_lateness" not in self.explicit and not isinstance(self.window_fn, Global):
            raise Refused("E125 a trigger needs allowed_lateness (0s is allowed)")
        if self.several_panes() and "accumulation_mode" not in self.explicit:
            raise Refused("E126 accumulation_mode must be accumulating or discarding")
