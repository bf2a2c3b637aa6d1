"""Whatever happens to the service: no answer is older than it may be."""

from collections.abc import Callable

from hypothesis import example, given, settings
from hypothesis import strategies as st

from casfs.errors import GoneError, NotFoundError
from casfs.models import JobState
from casfs.tree.tree import Tree
from tests.settings import tree_settings
from tests.tree.service import Clock, Service, job, vault

TTL_S = 60.0
UNFINISHED_TTL_S = 30.0
NAMES = ("a",)
Truth = dict[str, JobState]

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("begin"), st.sampled_from(NAMES)),
        st.tuples(st.just("finish"), st.sampled_from(NAMES)),
        st.tuples(st.just("vanish"), st.sampled_from(NAMES)),
        st.tuples(st.just("look up"), st.sampled_from(NAMES)),
        st.tuples(st.just("list"), st.just("")),
        st.tuples(st.just("gone"), st.sampled_from(NAMES)),
        st.tuples(st.just("wait"), st.sampled_from([1.0, 4.9, 5.1, 29.0, 30.1, 60.0])),
    ),
    min_size=10,
    max_size=40,
)


class World:
    """A service that changes, a tree over it, and all that was ever true."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.service = Service("photos")
        self.tree = Tree(self.service, tree_settings(list_ttl_s=TTL_S), clock=self.clock)
        self.tree.start()
        self.tree.seed([vault("photos")])
        self.history: list[tuple[float, Truth]] = [(self.clock(), {})]

    def change(self, what: str, name: str) -> None:
        jobs = self.service.contents["photos"]
        if what == "begin":
            jobs.setdefault(name, job(name, JobState.IN_PROGRESS))
        elif what == "vanish":
            jobs.pop(name, None)
        elif name in jobs:
            jobs[name] = job(name)
        self.history.append((self.clock(), {each.id: each.state for each in jobs.values()}))

    def was_true(self, claim: Callable[[Truth], bool], within_s: float) -> bool:
        """Say whether *claim* held at any moment of the last *within_s* seconds."""
        since_s = self.clock() - within_s
        ends_s = [began_s for began_s, _ in self.history[1:]] + [self.clock()]
        return any(end_s >= since_s and claim(truth) for end_s, (_, truth) in zip(ends_s, self.history, strict=True))

    def look_up(self, name: str) -> None:
        try:
            self.tree.resolve(f"/photos/{name}/output")
            state = JobState.SUCCEEDED
        except (NotFoundError, GoneError):
            try:
                self.tree.resolve(f"/photos/{name}")
                state = JobState.IN_PROGRESS
            except (NotFoundError, GoneError):
                assert self.was_true(lambda truth: name not in truth, 5)
                return
        assert self.was_true(lambda truth: truth.get(name) == state, self.age_of(state))

    def list(self) -> None:
        shown = dict(self.tree.entries(self.tree.resolve("/photos")))
        for name in NAMES:
            assert self.was_true(self.claim_of(name, name in shown), TTL_S)
            if name in shown:
                self.look_up(name)

    @staticmethod
    def claim_of(name: str, is_there: object) -> Callable[[Truth], bool]:
        return lambda truth: (name in truth) == is_there

    @staticmethod
    def age_of(state: JobState) -> float:
        return TTL_S if state is JobState.SUCCEEDED else UNFINISHED_TTL_S


IN_A_LISTING_OF_NONE = [("list", ""), ("begin", "a"), ("wait", 5.1), ("look up", "a"), ("finish", "a"), ("wait", 30.1)]


@given(STEPS)
@example([*IN_A_LISTING_OF_NONE, ("look up", "a")])
@settings(max_examples=500, deadline=None)
def test_no_answer_is_older_than_it_may_be(steps: list[tuple[str, str | float]]) -> None:
    world = World()
    for what, argument in steps:
        if isinstance(argument, float):
            world.clock.advance(argument)
        elif what == "look up":
            world.look_up(argument)
        elif what == "list":
            world.list()
        elif what == "gone":
            output = job(argument).output
            assert output is not None
            world.tree.gone(output)
        else:
            world.change(what, argument)
    world.tree.stop()
