"""One step (R14-R47, R61, R62, R65): rows, W' and P' of one batch in, panes out. It keeps the plain list of accepted rows of every (key, window)."""

import copy
from operator import attrgetter

from aggregates import Overflow, tolerance
from cell import Cell, Pane, in_order
from times import T_MIN
from triggers import Moment
from windows import expiry, last, sessions_of, span


class Step:
    def __init__(self, name, strategy, columns):
        self.name, self.strategy, self.columns = name, strategy, columns
        self.watermark = self.output_watermark = T_MIN
        self.processing_time = 0
        self.cells = {}
        self.sequence = 0
        self.counters = dict.fromkeys(("dropped_late", "dropped_closed", "no_window", "overflow", "tombstones"), 0)

    def expiry(self, window):
        return expiry(window, self.strategy.lateness)

    def droppable(self, window):
        return self.watermark >= self.expiry(window)

    def moment(self, window):
        return Moment(self.watermark, self.processing_time, window[1], self.strategy.merging)

    def ready(self, cell):
        return cell.trigger.ready(self.moment(cell.window))

    def assign(self, row):
        if self.strategy.given and row.window is not None:
            return [row.window]
        return self.strategy.window_fn.assign(row.stamp)

    def run(self, rows, processing_time, watermark, drain=False):
        """One batch in the order of R17."""
        self.panes = []
        self.watermark_before, self.drain = self.watermark, drain
        clock_before = self.processing_time
        self.processing_time = max(self.processing_time, processing_time)
        self.add_rows(rows)
        self.watermark = max(self.watermark, watermark)
        self.pass_time(clock_before)
        holds = [cell.hold for cell in self.cells.values() if cell.hold is not None]
        self.output_watermark = max(self.output_watermark, min([self.watermark, *holds]))
        return self.panes

    # Phase A

    def add_rows(self, rows):
        live, self.buried = [], []
        for row in rows:
            row.sequence = self.sequence = self.sequence + 1
            windows = self.assign(row)
            if not windows:
                self.counters["no_window"] += 1
            for window in windows:
                if self.droppable(window):
                    self.counters["dropped_late"] += 1
                else:
                    live.append((row, window))
        if self.strategy.merging and not self.strategy.given:
            live = self.merge_sessions(live)
        touched = {}
        for row, window in live:
            cell = self.cells.get((row.key, window))
            if cell is None:
                cell = self.cells[row.key, window] = Cell(row.key, window, self.strategy.trigger.fresh())
            if cell.closed:
                self.counters["dropped_closed"] += 1
            else:
                self.accept(cell, row)
                touched[row.key, window] = cell
        for cell in in_order([*self.buried, *touched.values()]):
            if cell.closed:
                self.send_tombstones(cell.key, cell.pending)
                cell.pending = []
            elif self.ready(cell):
                self.fire(cell)

    def accept(self, cell, row):
        self.accumulate(cell, row)
        cell.fresh = True
        hold = last(cell.window) if self.strategy.stamp == "end_of_window" else row.stamp
        if hold >= self.output_watermark and self.watermark < cell.window[1]:
            cell.hold = hold if cell.hold is None else self.combine_holds([cell.hold, hold])
        moment = self.moment(cell.window)
        cell.trigger.on_element(moment)
        cell.armed |= moment.armed

    def accumulate(self, cell, row):
        """A withdrawal removes its contribution, wherever it stands in the list (R78). One that an earlier pane gave away (DISCARDING) is still owed to counts and sums."""
        if row.weight < 0:
            for i, other in enumerate(cell.rows):
                if other.contribution == row.contribution and other.weight > 0:
                    del cell.rows[i]
                    return
        cell.rows.append(row)

    def combine_holds(self, holds):
        return max(holds) if self.strategy.stamp == "latest_in_pane" else min(holds)

    def merge_sessions(self, live):
        """Sends every live pair to the session it ends up in (R9); merges the state of the active ones."""
        moved = {}
        for key in dict.fromkeys(row.key for row, _ in live):
            new = {window for row, window in live if row.key == key}
            active = [cell.window for cell in self.cells.values() if cell.key == key and not cell.closed]
            for windows in sessions_of([*new, *active]):
                result = span(windows)
                for window in windows:
                    moved[key, window] = result
                if len(windows) > 1:
                    self.merge(key, result, [self.cells[key, w] for w in windows if w in active])
        return [(row, moved[row.key, window]) for row, window in live]

    def merge(self, key, result, sources):
        """The state of `result` out of its active sources (R45, R61, R62)."""
        target = self.cells.get((key, result))
        if target is not None and target.closed:
            self.bury(target, sources)
            return
        if not sources:
            return
        trees = [source.trigger for source in sources]
        if target is None:
            target = Cell(key, result, self.strategy.trigger.fresh())
            self.inherit(target, sources)
        else:
            trees = [copy.deepcopy(target.trigger)]
        moment = self.moment(result)
        target.trigger.merge(moment, trees)
        target.armed |= moment.armed
        target.hold = self.merged_hold(result, sources)
        self.cells[key, result] = target

    def inherit(self, target, sources):
        target.rows = sorted((row for source in sources for row in source.rows), key=attrgetter("sequence"))
        target.fresh = any(source.fresh for source in sources)
        target.emitted = any(source.emitted for source in sources if source.window[0] == target.window[0])
        target.pending = self.taken_away(target.window, sources)
        for source in sources:
            del self.cells[source.key, source.window]

    def taken_away(self, result, sources):
        """The windows whose rows no pane of `result` replaces (R36), in the order of their tombstones: by (e, s)."""
        if not self.strategy.accumulating:
            return []
        windows = [window for source in sources
                   for window in [*source.pending, *([source.window] if source.emitted and source.window[0] != result[0] else [])]]
        return sorted(windows, key=lambda window: (window[1], window[0]))

    def merged_hold(self, result, sources):
        if self.strategy.stamp == "end_of_window":
            return last(result) if last(result) >= self.output_watermark and self.watermark < result[1] else None
        holds = [source.hold for source in sources if source.hold is not None]
        return self.combine_holds(holds) if holds else None

    def bury(self, closed, sources):
        """A merge into a closed interval closes its sources with it (R62). Their rows were accepted and are not counted again (the golden files)."""
        closed.pending = self.taken_away(closed.window, sources)
        self.buried.append(closed)
        for source in sources:
            del self.cells[source.key, source.window]

    # Phase B

    def pass_time(self, clock_before):
        for cell in in_order(self.cells.values()):
            end = cell.window[1]
            if self.watermark >= self.expiry(cell.window):
                if not cell.closed:
                    self.pane(cell, final=True)
                del self.cells[cell.key, cell.window]
            elif not cell.closed and self.asked(cell, end, clock_before) and self.ready(cell):
                self.fire(cell)

    def asked(self, cell, end, clock_before):
        """The only reasons why time alone evaluates a window (R17)."""
        end_passed = self.watermark_before < end <= self.watermark
        deadline_passed = any(clock_before <= deadline < self.processing_time for deadline in cell.trigger.deadlines())
        return (cell.armed and end_passed) or deadline_passed

    # Firing

    def fire(self, cell):
        cell.trigger.fire(self.moment(cell.window))
        finished = cell.trigger.finished
        self.pane(cell, finished)
        cell.fresh = False
        if finished or not self.strategy.accumulating:
            cell.rows = []
        if finished:
            cell.closed = True

    def pane(self, cell, final):
        stamp = last(cell.window) if cell.hold is None else min(cell.hold, last(cell.window))
        cell.hold = None
        timing = self.timing(cell)
        if not (cell.fresh or (timing == "ON_TIME" and self.strategy.on_time_always) or (final and self.strategy.closing_always)):
            return
        self.send_tombstones(cell.key, cell.pending)
        cell.pending = []
        if self.strategy.accumulating and not cell.rows:
            # Withdrawals emptied the group: it has no row any more (R78).
            if cell.emitted:
                self.send_tombstones(cell.key, [cell.window])
            cell.emitted = False
            return
        result, within = self.fold(cell)
        late = timing != "EARLY"
        self.panes.append(Pane(
            self.name, cell.key, cell.window, result=result, within=within, stamp=stamp, timing=timing,
            index=cell.index, nonspeculative_index=cell.nonspeculative if late else -1, first=cell.index == 0, last=final,
            drained=self.drain and cell.window[1] > self.watermark_before))
        cell.index += 1
        cell.nonspeculative += late
        cell.emitted = True

    def timing(self, cell):
        end = cell.window[1]
        if self.output_watermark >= end or cell.nonspeculative > 0:
            return "LATE"
        return "EARLY" if self.watermark < end else "ON_TIME"

    def fold(self, cell):
        result, within = {}, {}
        for column in self.columns:
            rows = [(row.stamp, column.value_of(row.fields), row.weight) for row in cell.rows]
            try:
                result[column.name] = column.fold(rows)
                within[column.name] = tolerance(column.fn, rows, result[column.name], column.config)
            except Overflow:
                self.counters["overflow"] += 1
                result[column.name] = None
        return result, within

    def send_tombstones(self, key, windows):
        for window in windows:
            self.panes.append(Pane(self.name, key, window, tombstone=True))
            self.counters["tombstones"] += 1
