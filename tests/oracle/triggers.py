"""Triggers (R48-R63) as a tree of objects, one class each. A tree belongs to one (key, window) and keeps its own state."""

import copy


class Moment:
    """What a trigger may look at: W, P and the window's end in this phase; collects whether a node armed the window (R17)."""

    __slots__ = ("watermark", "processing_time", "end", "merging", "armed")

    def __init__(self, watermark, processing_time, end, merging):
        self.watermark, self.processing_time, self.end, self.merging = watermark, processing_time, end, merging
        self.armed = False

    @property
    def ended(self):
        return self.watermark >= self.end

    def arm(self):
        if not self.ended:
            self.armed = True


class Trigger:
    def __init__(self, *children):
        self.children = list(children)
        self.finished = False

    def fresh(self):
        """A tree of the same shape; only called on a tree that never saw a row."""
        tree = copy.copy(self)
        tree.children = [child.fresh() for child in self.children]
        return tree

    def nodes(self):
        for child in self.children:
            yield from child.nodes()
        yield self

    def clear_own(self):
        pass

    def clear(self):
        for node in self.nodes():
            node.clear_own()

    def reset(self):
        self.clear()
        for node in self.nodes():
            node.finished = False

    def again(self):
        """A part that has not finished keeps its bits, that is its progress (R50, X50)."""
        if self.finished:
            self.reset()
        else:
            self.clear()

    def deadlines(self):
        return [node.deadline for node in self.nodes() if getattr(node, "deadline", None) is not None]

    def merge_children(self, moment, sources):
        for i, child in enumerate(self.children):
            child.merge(moment, [source.children[i] for source in sources])


class Default(Trigger):
    may_finish = False

    def ready(self, moment):
        return moment.ended

    def on_element(self, moment):
        moment.arm()

    def fire(self, moment):
        pass

    def merge(self, moment, sources):
        moment.arm()

    def continuation(self):
        return Default()


class EndOfWindow(Trigger):
    """`after_end_of_window` without parts."""

    may_finish = True

    def ready(self, moment):
        return moment.ended

    def on_element(self, moment):
        moment.arm()

    def fire(self, moment):
        self.finished = True

    def merge(self, moment, sources):
        moment.arm()
        self.finished = all(source.finished for source in sources) and moment.ended

    def continuation(self):
        return EndOfWindow()


class EndOfWindowWithParts(Trigger):
    """`after_end_of_window` with an early part (Never if not given) and maybe a late part. early.finished says that the end-of-window firing has happened."""

    def __init__(self, early, late):
        super().__init__(*([early] if late is None else [early, late]))
        self.may_finish = late is None

    @property
    def early(self):
        return self.children[0]

    @property
    def late(self):
        return self.children[1] if len(self.children) > 1 else None

    def ready(self, moment):
        if not self.early.finished:
            return self.early.ready(moment) or moment.ended
        return self.late is not None and self.late.ready(moment)

    def on_element(self, moment):
        moment.arm()
        if moment.merging:
            for child in self.children:
                child.on_element(moment)
        elif not self.early.finished:
            self.early.on_element(moment)
        elif self.late is not None:
            self.late.on_element(moment)

    def fire(self, moment):
        if self.early.finished:
            self.late.fire(moment)
            self.late.again()
        elif not moment.ended:
            self.early.fire(moment)
            self.early.again()
        else:
            if self.early.ready(moment):
                self.early.fire(moment)
            self.early.again()
            self.early.finished = True
            if self.late is not None:
                self.late.clear()
            else:
                self.finished = True

    def merge(self, moment, sources):
        moment.arm()
        early_sources = [source.early for source in sources]
        late_sources = [source.late for source in sources]
        if not moment.ended or not all(early.finished for early in early_sources):
            self.early.merge(moment, early_sources)
            self.early.finished = False
            if self.late is not None:
                self.late.merge(moment, late_sources)
                self.late.reset()
        else:
            self.early.finished = True
            if self.late is not None:
                self.late.merge(moment, late_sources)

    def continuation(self):
        return EndOfWindowWithParts(self.early.continuation(), self.late and self.late.continuation())


class ElementCount(Trigger):
    may_finish = True

    def __init__(self, count):
        super().__init__()
        self.count, self.counter = count, 0

    def clear_own(self):
        self.counter = 0

    def ready(self, moment):
        return self.counter >= self.count

    def on_element(self, moment):
        self.counter += 1

    def fire(self, moment):
        self.counter = 0
        self.finished = True

    def merge(self, moment, sources):
        self.finished = any(source.finished for source in sources)
        self.counter = 0 if self.finished else sum(source.counter for source in sources)

    def continuation(self):
        return ElementCount(1)


class ProcessingTime(Trigger):
    """`after_processing_time`: transforms are ("delay", d) and ("align", period, offset), in order."""

    may_finish = True

    def __init__(self, transforms):
        super().__init__()
        self.transforms, self.deadline = transforms, None

    def clear_own(self):
        self.deadline = None

    def ready(self, moment):
        return self.deadline is not None and moment.processing_time > self.deadline

    def on_element(self, moment):
        if self.deadline is None:
            self.deadline = self.deadline_from(moment.processing_time)

    def deadline_from(self, time):
        for kind, *values in self.transforms:
            if kind == "delay":
                time += values[0]
            else:
                period, offset = values
                time += (offset - time) % period
        return time

    def fire(self, moment):
        self.deadline = None
        self.finished = True

    def merge(self, moment, sources):
        deadlines = [source.deadline for source in sources if source.deadline is not None]
        self.deadline = None if self.finished or not deadlines else min(deadlines)

    def continuation(self):
        return SynchronizedProcessingTime()


class SynchronizedProcessingTime(ProcessingTime):
    """In one process: a row has arrived since the last clear (R53)."""

    def __init__(self):
        super().__init__(())

    def ready(self, moment):
        return self.deadline is not None


class Never(Trigger):
    may_finish = False

    def ready(self, moment):
        return False

    def on_element(self, moment):
        pass

    def fire(self, moment):
        raise AssertionError("never is never ready")

    def merge(self, moment, sources):
        pass

    def continuation(self):
        return Never()


class Always(Never):
    def ready(self, moment):
        return True

    def fire(self, moment):
        pass

    def continuation(self):
        return Always()
