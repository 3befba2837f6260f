"""What a step handles: rows, panes, and the state of one (key, window)."""

import copy


class Row:
    """A row between transforms: its fields, stamp, the window of the pane it is, what that pane was, the partition and tracker of a source's row, the step that produced it and its place among the rows of that, and for R78 its weight and the contribution it adds or withdraws."""

    __slots__ = ("key", "stamp", "fields", "window", "weight", "contribution", "sequence", "partition", "tracker", "pane", "producer", "place")

    def __init__(self, fields, stamp, window=None, weight=1, contribution=None, partition=None, pane=None):
        self.key, self.fields, self.stamp, self.window = None, fields, stamp, window
        self.weight, self.contribution, self.partition, self.pane = weight, contribution, partition, pane
        self.tracker, self.sequence = None, 0
        self.producer, self.place = -1, 0

    def with_fields(self, fields):
        row = copy.copy(self)
        row.fields = fields
        return row

    def with_stamp(self, stamp, tracker=None):
        row = copy.copy(self)
        row.stamp, row.tracker = stamp, tracker or self.tracker
        return row


class Pane:
    """One firing of one (key, window), or a tombstone of a row that a merge or a withdrawal took away."""

    def __init__(self, step, key, window, **attributes):
        self.step, self.key, self.window = step, key, window
        self.tombstone = False
        self.result = self.within = self.stamp = self.timing = self.index = self.nonspeculative_index = self.first = self.last = None
        self.drained = False
        self.__dict__.update(attributes)

    @property
    def info(self):
        """What ExtractWindowingInfo calls pane_info."""
        return {"is_first": self.first, "is_last": self.last, "timing": self.timing, "index": self.index, "nonspeculative_index": self.nonspeculative_index}


class Cell:
    """The state of one (key, window)."""

    __slots__ = ("key", "window", "rows", "fresh", "hold", "armed", "trigger", "index", "nonspeculative", "emitted", "pending", "closed")

    def __init__(self, key, window, trigger):
        self.key, self.window, self.trigger = key, window, trigger
        self.rows = []
        self.hold = None
        self.fresh = self.armed = self.emitted = self.closed = False
        self.index = self.nonspeculative = 0
        self.pending = []


def key_order(key):
    """Keys compare as their bytes: null first."""
    return tuple((part is not None, part.encode() if isinstance(part, str) else part) for part in key)


def in_order(cells):
    """Pane order inside a phase (R17): by (e, s, key bytes)."""
    return sorted(cells, key=lambda cell: (cell.window[1], cell.window[0], key_order(cell.key)))
