"""R78: the pane that is out per row id, as rows of weight -1 and +1 for a consumer with `input_panes: replace`."""

from cell import Row


class LatestPanes:
    def __init__(self, step, windows_share_starts):
        self.step = step
        # Given windows of a sessions step may share a start: there the whole window names the row (R77).
        self.by_window = windows_share_starts
        self.latest = {}
        self.panes = 0

    def row_id(self, pane):
        return pane.key, pane.window if self.by_window else pane.window[0]

    def weighted_rows(self, panes, fields_of):
        rows = []
        for pane in panes:
            row_id = self.row_id(pane)
            old = self.latest.pop(row_id, None)
            if old is not None:
                rows.append(Row(old.fields, old.stamp, old.window, -1, old.contribution, pane=old.pane))
            if not pane.tombstone:
                self.panes += 1
                new = Row(fields_of(pane), pane.stamp, pane.window, 1, (self.step, row_id, self.panes), pane=pane.info)
                self.latest[row_id] = new
                rows.append(new)
        return rows
