"""Source watermarks (R80-R91): one tracker per source, or per AssignTimestamps above the first step."""

from times import LONGEST_US, T_MAX, T_MIN, Refused, duration


class Partition:
    def __init__(self, assigned):
        self.max_stamp = None
        self.last_seen = assigned
        self.caught_up = self.ended = False


class Settings:
    """M of 16.3."""

    def __init__(self, spec, bounded=False):
        known = {"max_out_of_orderness", "idle_timeout", "all_idle", "max_future_skew", "on_future"}
        if set(spec) - known:
            raise Refused(f"E100 unknown key '{sorted(set(spec) - known)[0]}' in watermark")
        self.out_of_orderness = duration(spec.get("max_out_of_orderness", 0))
        self.idle_timeout = optional(spec.get("idle_timeout", "60s"))
        self.future_skew = optional(spec.get("max_future_skew", "none" if bounded else "1h"))
        self.clamp_future = spec.get("on_future", "dead_letter") == "clamp"
        self.follow_clock = spec.get("all_idle", "hold") == "clock"


def optional(value):
    if value in (None, "none"):
        return None
    value = duration(value)
    if not 0 <= value <= LONGEST_US:
        raise Refused("E113 duration out of range")
    return value


class Tracker:
    def __init__(self, settings):
        self.settings = settings
        self.partitions = {}
        self.watermark = T_MIN
        self.processing_time = 0
        self.regressions = 0

    def begin(self, processing_time, plan):
        """The plan of a batch: what was assigned, and which partitions it says are caught up or have ended."""
        self.processing_time = max(self.processing_time, processing_time)
        known = len(self.partitions)
        for name in [*plan.assigned, *plan.delivered, *plan.caught_up, *plan.ended]:
            self.partitions.setdefault(name, Partition(self.processing_time))
        for name in plan.delivered:
            self.partitions[name].caught_up = False
        for name in plan.caught_up:
            self.partitions[name].caught_up = True
        for name in plan.ended:
            self.partitions[name].ended = True
        self.says_something = plan.brings_rows or len(self.partitions) > known

    def sets_aside(self, stamp):
        return stamp > self.latest() and not self.settings.clamp_future

    def latest(self):
        """The largest stamp that is not of the future (R86)."""
        skew = self.settings.future_skew
        return T_MAX if skew is None else self.processing_time + skew

    def observe(self, name, stamp):
        """A row that reached a step moves its partition; one that was filtered on the way does not (R82)."""
        counted = min(stamp, self.latest())
        partition = self.partitions.setdefault(name, Partition(self.processing_time))
        partition.max_stamp = counted if partition.max_stamp is None else max(partition.max_stamp, counted)
        partition.last_seen = self.processing_time

    def partition_watermark(self, partition):
        if partition.max_stamp is None:
            return T_MIN
        return max(T_MIN, partition.max_stamp - self.settings.out_of_orderness)

    def idle(self, partition):
        timeout = self.settings.idle_timeout
        return timeout is not None and partition.caught_up and self.processing_time - partition.last_seen >= timeout

    def candidate(self):
        """R81, R85, R89; None if no partition says anything yet."""
        if not self.partitions:
            return None
        running = [partition for partition in self.partitions.values() if not partition.ended]
        if not running:
            return T_MAX
        active = [self.partition_watermark(partition) for partition in running if not self.idle(partition)]
        if active:
            return min(active)
        furthest = max(self.partition_watermark(partition) for partition in running)
        if self.settings.follow_clock:
            return max(furthest, self.processing_time - self.settings.out_of_orderness)
        return furthest

    def advance(self):
        self.propose(self.candidate())

    def propose(self, candidate):
        """W never goes back (R3, R87). A batch of time alone proposes nothing that counts."""
        if candidate is None:
            return
        if candidate < self.watermark and self.says_something:
            self.regressions += 1
        self.watermark = max(self.watermark, candidate)


class Scripted(Tracker):
    """A source that states its own watermark."""

    def __init__(self):
        super().__init__(Settings({"max_future_skew": "none"}))
        self.stated = None

    def begin(self, processing_time, plan):
        super().begin(processing_time, plan)
        self.says_something = True

    def candidate(self):
        return self.stated
