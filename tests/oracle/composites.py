"""The composite triggers (R54-R58)."""

from triggers import Trigger


class AfterAny(Trigger):
    may_finish = True

    def ready(self, moment):
        return any(child.finished or child.ready(moment) for child in self.children)

    def on_element(self, moment):
        for child in self.children:
            child.on_element(moment)

    def fire(self, moment):
        for child in self.children:
            if child.ready(moment):
                child.fire(moment)
            else:
                child.clear()
        self.finished = True

    def merge(self, moment, sources):
        self.merge_children(moment, sources)
        self.finished = any(child.finished for child in self.children)

    def continuation(self):
        return AfterAny(*(child.continuation() for child in self.children))


class AfterAll(Trigger):
    may_finish = True

    def ready(self, moment):
        return all(child.finished or child.ready(moment) for child in self.children)

    def on_element(self, moment):
        for child in self.children:
            if not child.finished:
                child.on_element(moment)

    def fire(self, moment):
        for child in self.children:
            if not child.finished:
                child.fire(moment)
        self.finished = True

    def merge(self, moment, sources):
        self.merge_children(moment, sources)
        self.finished = all(child.finished for child in self.children)

    def continuation(self):
        return AfterAll(*(child.continuation() for child in self.children))


class AfterEach(Trigger):
    @property
    def may_finish(self):
        return all(child.may_finish for child in self.children)

    def current(self):
        return next((child for child in self.children if not child.finished), None)

    def ready(self, moment):
        current = self.current()
        return current is not None and current.ready(moment)

    def on_element(self, moment):
        if moment.merging:
            for child in self.children:
                child.on_element(moment)
        elif self.current() is not None:
            self.current().on_element(moment)

    def fire(self, moment):
        self.current().fire(moment)
        if moment.merging:
            for child in self.children:
                child.clear()
        self.finished = all(child.finished for child in self.children)

    def merge(self, moment, sources):
        before_finished = True
        for i, child in enumerate(self.children):
            if before_finished:
                child.merge(moment, [source.children[i] for source in sources])
                before_finished = child.finished
            else:
                child.clear()
        self.finished = all(child.finished for child in self.children)

    def continuation(self):
        return Repeat(AfterAny(*(child.continuation() for child in self.children)))


class OrFinally(Trigger):
    def __init__(self, main, finally_):
        super().__init__(main, finally_)

    @property
    def may_finish(self):
        return any(child.may_finish for child in self.children)

    def ready(self, moment):
        return any(child.ready(moment) for child in self.children)

    def on_element(self, moment):
        for child in self.children:
            child.on_element(moment)

    def fire(self, moment):
        main, finally_ = self.children
        if finally_.ready(moment):
            finally_.fire(moment)
            main.clear()
        else:
            main.fire(moment)
        self.finished = main.finished or finally_.finished

    def merge(self, moment, sources):
        self.merge_children(moment, sources)
        self.finished = any(child.finished for child in self.children)

    def continuation(self):
        return Repeat(OrFinally(*(child.continuation() for child in self.children)))


class Repeat(Trigger):
    may_finish = False

    def ready(self, moment):
        return self.children[0].ready(moment)

    def on_element(self, moment):
        self.children[0].on_element(moment)

    def fire(self, moment):
        repeated = self.children[0]
        repeated.fire(moment)
        if repeated.finished:
            repeated.reset()

    def merge(self, moment, sources):
        self.merge_children(moment, sources)

    def continuation(self):
        return Repeat(self.children[0].continuation())
