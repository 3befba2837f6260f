"""The wrong engines of 18.4. Each is one defect, written as replacements in the oracle's text: (module, right, wrong)."""

DROP = ("step", "return self.watermark >= self.expiry(window)")
ENDED = ("triggers", "return self.watermark >= self.end")
END_PASSED = ("step", "self.watermark_before < end <= self.watermark")
JUDGE = ("step", "if self.droppable(window):")
EMIT = ("step", 'if not (cell.fresh or (timing == "ON_TIME" and self.strategy.on_time_always) or (final and self.strategy.closing_always)):')
PARTS_MERGE = ("triggers", "if not moment.ended or not all(early.finished for early in early_sources):")
AGAIN = ("triggers", "        if self.finished:\n            self.reset()\n        else:\n            self.clear()\n")
FLUSH = "        self.send_tombstones(cell.key, cell.pending)\n        cell.pending = []\n"
FIXED_START = "start = (stamp - self.offset) // self.size * self.size + self.offset"
SLIDING_START = "start = (stamp - self.offset) // self.period * self.period + self.offset"
TRUNCATED = "start = stamp - abs(stamp - self.offset) % self.{0} * (1 if stamp >= self.offset else -1)"
MOVE_CLOCK = "        self.processing_time = max(self.processing_time, processing_time)\n"
MOVE_WATERMARK = "        self.watermark = max(self.watermark, watermark)\n"
ADD_ROWS = "        self.add_rows(rows)\n"
OVERLAPPING = "[window, *(c.window for c in self.cells.values() if c.key == row.key and c.window[0] < window[1] and window[0] < c.window[1])]"
FINAL = "                if not cell.closed:\n                    self.pane(cell, final=True)\n"
ACTIVE = "if cell.key == key and not cell.closed]"

# number: (what is wrong, the examples that 18.4 names, replacements)
MUTANTS = {
    "M1": ("drops one tick early", "x1", [(*DROP, "return self.watermark >= self.expiry(window) - 1")]),
    "M2": ("drops one tick late", "x1", [(*DROP, "return self.watermark > self.expiry(window)")]),
    "M3": ("never drops", "x1", [(*DROP, "return False")]),
    "M4": ("drop test with W_out", "x44", [(*DROP, "return self.output_watermark >= self.expiry(window)")]),
    "M5a": ("truncating modulo: fixed", "x2a", [("windows", FIXED_START, TRUNCATED.format("size"))]),
    "M5b": ("truncating modulo: sliding", "x2b", [("windows", SLIDING_START, TRUNCATED.format("period"))]),
    "M6": ("drop test ignores L", "x1", [(*DROP, "return self.watermark >= window[1]")]),
    "M7": ("end reached one tick early", "x1", [(*ENDED, "return self.watermark >= self.end - 1"), (*END_PASSED, "self.watermark_before < end - 1 <= self.watermark")]),
    "M8": ("touching sessions merge", "x4a", [("windows", "window[0] < running_end", "window[0] <= running_end")]),
    "M9": ("end reached one tick late", "x1", [(*ENDED, "return self.watermark > self.end"), (*END_PASSED, "self.watermark_before <= end < self.watermark")]),
    "M10": ("row dropped from all windows if the oldest expired", "x3c", [(*JUDGE, "if any(self.droppable(each) for each in windows):")]),
    "M11": ("session drop test on the merged window", "x5", [(*JUDGE, f"if self.droppable(span({OVERLAPPING}) if self.strategy.merging else window):")]),
    "M12": ("sliding window with s = t - z", "x45", [("windows", "while stamp - self.size < start:", "while stamp - self.size <= start:")]),
    "M13": ("offset ignored", "x36", [("windows", 'Fixed(size, duration(spec.get("offset", 0)) % size)', "Fixed(size, 0)")]),
    "M14": ("gap rows put in the nearest window", "x3a", [("windows", "        return windows\n", "        return windows or [clip(start + self.period, start + self.period + self.size)]\n")]),
    "M15": ("new W applied before the rows", "x37", [("step", ADD_ROWS + MOVE_WATERMARK, MOVE_WATERMARK + ADD_ROWS)]),
    "M16": ("new P applied after the rows", "x18", [("step", MOVE_CLOCK + ADD_ROWS, ADD_ROWS + MOVE_CLOCK)]),
    "M17": ("clock may go back", "x46", [("step", MOVE_CLOCK, "        self.processing_time = processing_time\n")]),
    "M18": ("a pane per row instead of per batch", "x21", [("step", "                touched[row.key, window] = cell\n", "                if self.ready(cell):\n                    self.fire(cell)\n")]),
    "M19": ("index kept across a merge", "x14", [("step", "        target.emitted = any(", "        target.index = max(source.index for source in sources)\n        target.emitted = any(")]),
    "M20": ("index lost when the result exists", "x14", [("step", "trees = [copy.deepcopy(target.trigger)]", "trees = [copy.deepcopy(target.trigger)]\n            target.index = target.nonspeculative = 0")]),
    "M21": ("no tombstone", "x14", [("step", "        for window in windows:\n            self.panes.append(", "        for window in []:\n            self.panes.append(")]),
    "M22": ("tombstone for an equal start", "x16", [("step", "if source.emitted and source.window[0] != result[0] else", "if source.emitted else")]),
    "M23": ("tombstone for a window that never emitted", "x30", [("step", "if source.emitted and source.window[0] != result[0] else", "if source.window[0] != result[0] else")]),
    "M24": ("tombstone after its pane", "x14", [("step", FLUSH, ""), ("step", "        cell.emitted = True\n", "        cell.emitted = True\n" + FLUSH)]),
    "M25": ("second ON_TIME possible", "x19", [("step", " or cell.nonspeculative > 0:", ":")]),
    "M26": ("timing ignores W_out", "x10", [("step", "if self.output_watermark >= end or cell", "if cell")]),
    "M27": ("timing LATE whenever W >= e", "x8", [("step", '"EARLY" if self.watermark < end else "ON_TIME"', '"EARLY" if self.watermark < end else "LATE"')]),
    "M28": ("non-speculative index counts EARLY", "x9", [("step", "nonspeculative_index=cell.nonspeculative if", "nonspeculative_index=cell.index if")]),
    "M29": ("last never set", "x6", [("step", "last=final", "last=False")]),
    "M30": ("suppressed pane advances the index", "x10", [("step", EMIT[1] + "\n", EMIT[1] + "\n            cell.index += 1\n")]),
    "M31": ("empty ON_TIME never emitted", "x9", [(*EMIT, "if not (cell.fresh or (final and self.strategy.closing_always)):")]),
    "M32": ("empty panes always emitted", "x1", [(*EMIT, "if False:")]),
    "M33a": ("EMIT_ALWAYS ignored", "x11", [(*EMIT, 'if not (cell.fresh or (timing == "ON_TIME" and self.strategy.on_time_always)):')]),
    "M33b": ("EMIT_ALWAYS always on", "x1", [(*EMIT, 'if not (cell.fresh or (timing == "ON_TIME" and self.strategy.on_time_always) or final):')]),
    "M34": ("no firing at expiry", "x8", [("step", FINAL, "")]),
    "M35": ("end and expiry give two panes", "x6", [("step", FINAL, "                if not cell.closed:\n                    if self.asked(cell, end, clock_before) and self.ready(cell):\n                        self.fire(cell)\n                    self.pane(cell, final=True)\n")]),
    "M36": ("state or bits kept after expiry", "x7", [("step", "                del self.cells[cell.key, cell.window]\n", "                cell.closed = True\n")]),
    "M37": ("expiry one tick late", "x1", [("step", "if self.watermark >= self.expiry(cell.window):", "if self.watermark > self.expiry(cell.window):")]),
    "M38": ("expiry overflows near T_END", "x41", [("windows", "min(window[1] + lateness, T_END)", "(window[1] + lateness + (1 << 63)) % (1 << 64) - (1 << 63)")]),
    "M39": ("finished trigger does not close", "x7", [("step", "        if finished:\n            cell.closed = True\n", "")]),
    "M40": ("closed counted as late", "x7", [("step", 'self.counters["dropped_closed"] += 1', 'self.counters["dropped_late"] += 1')]),
    "M41": ("late part does not repeat", "x29", [("triggers", "            self.late.again()\n", ""), ("triggers", "self.late is not None and self.late.ready", "self.late is not None and not self.late.finished and self.late.ready")]),
    "M42": ("early part does not repeat", "x29", [("triggers", "            self.early.again()\n        else:\n", "        else:\n")]),
    "M43": ("late counter not cleared at the end", "x17", [("triggers", "                self.late.clear()\n", "                pass\n")]),
    "M44": ("composite early keeps inner bits", "x26", [(*AGAIN, "        self.clear()\n        self.finished = False\n")]),
    "M45": ("modes swapped", "x9", [("strategy", 'spec["accumulation_mode"] == "accumulating"', 'spec["accumulation_mode"] == "discarding"')]),
    "M46": ("stamp = min of all rows, late ones too", "x12", [("step", "if hold >= self.output_watermark and self.watermark < cell.window[1]:", "if True:")]),
    "M47": ("EARLIEST acts as END_OF_WINDOW", "x12", [("step", 'hold = last(cell.window) if self.strategy.stamp == "end_of_window" else', 'hold = last(cell.window) if self.strategy.stamp != "latest_in_pane" else')]),
    "M48": ("LATEST acts as EARLIEST", "x12", [("step", 'max(holds) if self.strategy.stamp == "latest_in_pane" else min(holds)', "min(holds)")]),
    "M49": ("stamp not cleared by a firing", "x13", [("step", "        cell.hold = None\n", "")]),
    "M50": ("stamp is e, not e - 1 us", "x1", [("windows", "return window[1] - 1", "return window[1]")]),
    "M51": ("W_out ignores holds", "x8", [("step", "min([self.watermark, *holds])", "self.watermark")]),
    "M52": ("merge combines EARLIEST by max", "x43", [("step", "self.combine_holds(holds) if holds", "max(holds) if holds")]),
    "M53": ("no rewind", "x16", [(*PARTS_MERGE, "if False:")]),
    "M54": ("always rewinds", "x17", [(*PARTS_MERGE, "if True:")]),
    "M55": ("counters not merged", "x30", [("triggers", "0 if self.finished else sum(source.counter for source in sources)", "0")]),
    "M56": ("merge of new windows finishes early part", "x27", [("step", "        if not sources:\n            return\n", "")]),
    "M57": ("or_finally clears finally at each pane", "x15", [("composites", "            main.fire(moment)\n", "            main.fire(moment)\n            finally_.clear()\n")]),
    "M58": ("finally does not finish", "x15", [("composites", "self.finished = main.finished or finally_.finished", "self.finished = main.finished")]),
    "M59": ("repeat resets only the child's bit", "x23", [("composites", "repeated.reset()", "repeated.finished = False")]),
    "M60": ("after_all fires on any child", "x23", [("composites", "return all(child.finished or child.ready(moment) for child in self.children)", "return any(child.finished or child.ready(moment) for child in self.children)")]),
    "M61": ("after_each fires all children", "x22", [("composites", "        self.current().fire(moment)\n", "        for child in self.children:\n            child.fire(moment)\n")]),
    "M62": ("later children of after_each count early", "x22", [("composites", "        if moment.merging:\n            for child in self.children:\n                child.on_element(moment)", "        if True:\n            for child in self.children:\n                child.on_element(moment)")]),
    "M63": ("element_count tests ==", "x21", [("triggers", "self.counter >= self.count", "self.counter == self.count")]),
    "M64": ("P >= deadline", "x39", [("triggers", "moment.processing_time > self.deadline", "moment.processing_time >= self.deadline"), ("step", "clock_before <= deadline < self.processing_time", "clock_before < deadline <= self.processing_time")]),
    "M65": ("deadline moves with every row", "x18", [("triggers", "        if self.deadline is None:\n", "        if True:\n")]),
    "M66": ("every open window evaluated at its end", "x24", [("step", "(cell.armed and end_passed)", "end_passed")]),
    "M67": ("one W for all partitions (max)", "s1", [("source", "return min(active)", "return max(active)")]),
    "M68": ("idle although there is backlog", "s2", [("source", "partition.caught_up and self", "self")]),
    "M69": ("never-delivered partition holds for ever", "s3", [("source", "partition.caught_up and self", "partition.max_stamp is not None and partition.caught_up and self")]),
    "M70": ("W goes back on return", "s4", [("source", "self.watermark = max(self.watermark, candidate)", "self.watermark = candidate")]),
    "M71": ("future row moves W", "s5", [("oracle", "        return fault is not None\n", "        if fault == 'future_timestamp':\n            self.tracker.partitions[row.partition].max_stamp = row.stamp\n        return fault is not None\n")]),
    "M72": ("new partition ignored", "s6", [("source", "for partition in running if not self.idle(partition)]", "for partition in running if partition.max_stamp is not None and not self.idle(partition)]")]),
    "M73": ("W jumps while all idle under hold", "r85", [("source", "if self.settings.follow_clock:", "if True:")]),
    "M74": ("consumer sees the producer's W, not W_out", "g3", [("oracle", "return self.step.output_watermark", "return self.step.watermark")]),
    "M75": ("consumer judges rows with the new W", "g2", [("oracle", "        # R74: the", "        if self.inputs[0].below_step:\n            self.step.watermark = self.input_watermark()\n        # R74: the")]),
    "M76": ("append counts tombstoned sessions under replace", "g2", [("latest_panes", "            if old is not None:\n", "            if old is not None and not pane.tombstone:\n")]),
    "M77": ("replace keeps the old contribution", "g1", [("latest_panes", "            if old is not None:\n", "            if old is not None and pane.tombstone:\n")]),
    "M78": ("continuation keeps element_count(n)", "r63", [("triggers", "return ElementCount(1)", "return ElementCount(self.count)")]),
    "M79": ("re-windowing takes the smaller L", "r76", [("strategy", "max(self.lateness, lateness)", 'min(self.lateness, lateness) if "allowed_lateness" in self.explicit else lateness')]),
    "M80": ("sessions merge again in a second step", "r77", [("step", "if self.strategy.merging and not self.strategy.given:", "if self.strategy.merging:")]),
    "M81": ("processing time runs in a batch job", "r90", [("oracle", "0 if self.frozen else plan.clock", "plan.clock")]),
    "M82a": ("drain without drained flag", "r71", [("step", "drained=self.drain and cell.window[1] > self.watermark_before", "drained=False")]),
    "M82b": ("stop fires", "r70", [("transcript", "        self.oracle = copy.deepcopy(self.oracle)\n", "        self.panes += self.oracle.batch(*self.script.batch({\"end_all\": True}))\n")]),
    "M83": ("emitted is lost when a merge keeps the start", "x47", [("step", "target.emitted = any(source.emitted for source in sources if source.window[0] == target.window[0])", "target.emitted = False")]),
    "M84": ("a passed deadline asks in every later batch", "x48", [("step", "clock_before <= deadline < self.processing_time", "deadline < self.processing_time")]),
    "M85": ("an unfinished part is reset by its firing", "x50", [(*AGAIN, "        self.reset()\n")]),
    "M86": ("a node that a merge skips loses its deadline", "x49", [("triggers", "        else:\n            self.early.finished = True\n", "        else:\n            self.early.clear()\n            self.early.finished = True\n")]),
    "M87": ("a merge into a closed interval stays active", "x51", [("step", ACTIVE, "if cell.key == key]")]),
    "M88": ("tombstones of one firing by start, not by end", "r36", [("step", "key=lambda window: (window[1], window[0])", "key=lambda window: window")]),
    "M89": ("tombstones of a buried merge before all firings", "r17", [("step", "in_order([*self.buried, *touched.values()])", "[*self.buried, *in_order(touched.values())]")]),
    "M90": ("a withdrawal takes any equal row", "r78", [("step", "other.contribution == row.contribution", "(other.stamp, other.fields) == (row.stamp, row.fields)")]),
    "M91": ("equal row ids of two steps are one", "r78", [("latest_panes", "(self.step, row_id, self.panes)", "(row_id, self.panes)")]),
    "M92": ("a tick counts a regression", "r87", [("source", " and self.says_something:", ":")]),
    "M93": ("a row of no step has the pane of an early firing", "r31", [("oracle", '"timing": "UNKNOWN", "index": 0', '"timing": "EARLY", "index": 0')]),
}
