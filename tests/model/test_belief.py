"""Bytes right and wrong, with hashes, without and with false ones, under a kernel that keeps pages and tells nobody."""

from dataclasses import dataclass, field

from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from casfs.data.reader import Reader
from casfs.errors import CasfsError
from casfs.models import Output
from tests.data.service import MIB, Request, Service, archive, mounted, read, sample, settings, tree_hash

RIGHT = sample(2 * MIB + 7)
VERSIONS = {"right": RIGHT, "wrong": sample(len(RIGHT), seed=50), "otherwise wrong": sample(len(RIGHT), seed=70)}
PAGE = MIB // 2
PAGES = range(-(-len(RIGHT) // PAGE))
HEADERS = ("the right one", "none", "malformed", "that of the bytes", "that of the whole")


@dataclass(frozen=True)
class Answer:
    """What one request is answered with."""

    version: str
    header: str


answers = st.builds(Answer, st.sampled_from(sorted(VERSIONS)), st.sampled_from(HEADERS))


@dataclass(eq=False)
class Program:
    """One program that has the output open, and what it was served.

    Attributes:
        reader: what casfs answered its open with.
        is_through: whether the kernel has that answer, and has emptied its pages if it says so.
        seen: the pages that it was served.
        has_failed: whether it was told of a failure.
    """

    reader: Reader
    is_through: bool = False
    seen: set[tuple[int, bytes]] = field(default_factory=set)
    has_failed: bool = False

    @property
    def is_right(self) -> bool:
        """Whether all that it was served is right."""
        return all(page == page_of(RIGHT, number) for number, page in self.seen)


def page_of(data: bytes, number: int) -> bytes:
    return data[number * PAGE : (number + 1) * PAGE]


class Belief(RuleBasedStateMachine):
    """Whoever ends without an error while the output is said to be whole has seen its bytes and no others."""

    def __init__(self) -> None:
        super().__init__()
        self.service = Service({"job": RIGHT}, tries=8)
        self.service.act = self.act
        self.service.omits = lambda _request: self.now.header == "none"
        self.service.given = self.given
        self.plan: list[Answer] = []
        self.now = Answer("right", "the right one")
        self.pages: dict[int, bytes] = {}
        self.programs: list[Program] = []
        self.has_to_drop = False
        self.is_rooted = True
        self.mount = mounted(self.service, settings(cache=1, connections=2), on_wrong=self.told)
        self.outputs = self.mount.__enter__()

    @property
    def output(self) -> Output:
        """The output, as its document has it."""
        return archive(RIGHT, hashed=self.is_rooted)

    def act(self, request: Request) -> bytes:
        """Answer as planned, and then well."""
        self.now = self.plan.pop(0) if self.plan else Answer("right", "the right one")
        if not self.is_rooted and self.now.header == "that of the bytes":
            self.now = Answer(self.now.version, "the right one")  # a lie that nothing could tell from the truth
        return VERSIONS[self.now.version][request.start : request.start + request.length]

    def given(self, request: Request) -> str | None:
        """Return what is said of the bytes, None for their right hash."""
        whole = VERSIONS[self.now.version]
        said = {
            "malformed": '"' + tree_hash(whole) + '"',
            "that of the bytes": tree_hash(whole[request.start : request.start + request.length]),
            "that of the whole": tree_hash(RIGHT),
        }
        return said.get(self.now.header)

    def told(self, _output: Output) -> None:
        """Have the kernel's pages dropped, at some time."""
        self.has_to_drop = True

    @initialize(is_rooted=st.booleans(), is_deceived=st.booleans())
    def begin(self, *, is_rooted: bool, is_deceived: bool) -> None:
        self.is_rooted = is_rooted
        if is_deceived:
            self.deceive()

    @rule(plan=st.lists(answers, min_size=1, max_size=4), times=st.sampled_from([1, 1, 3, 9]))
    def go_wrong(self, plan: list[Answer], times: int) -> None:
        self.plan = [answer for answer in plan for _ in range(times)]

    @rule(hashes=st.booleans())
    def send_hashes(self, *, hashes: bool) -> None:
        self.service.hashes = hashes

    @precondition(lambda self: not self.is_rooted)
    @rule()
    def tell_its_hash(self) -> None:
        """Have another document, which tells the hash of the output: who has it open reads on by the one before."""
        self.is_rooted = True

    @rule()
    def open(self) -> None:
        try:
            reader = self.outputs.open(self.output)
        except CasfsError:
            return
        self.programs.append(Program(reader))

    @precondition(lambda self: self.has_to_drop)
    @rule()
    def drop(self) -> None:
        """Be the process that has the kernel drop its pages."""
        self.has_to_drop = False
        self.open()

    @precondition(lambda self: not all(program.is_through for program in self.programs))
    @rule(which=st.integers(0, 9))
    def get_through(self, which: int) -> None:
        """Have the kernel hear of an open, some time after casfs has answered it; what is closed before never is."""
        waiting = [program for program in self.programs if not program.is_through]
        self.hear(waiting[which % len(waiting)])

    @precondition(lambda self: self.programs)
    @rule(which=st.integers(0, 9), number=st.sampled_from(PAGES))
    def read(self, which: int, number: int) -> None:
        self.serve(self.programs[which % len(self.programs)], number)

    @precondition(lambda self: self.programs)
    @rule(which=st.integers(0, 9))
    def read_all(self, which: int) -> None:
        program = self.programs[which % len(self.programs)]
        for number in PAGES:
            self.serve(program, number)

    def deceive(self) -> None:
        """Have a program served a wrong page, which the rest of its block tells: chance alone rarely comes to that."""
        self.open()
        self.service.hashes, self.plan = False, [Answer("wrong", "none")] * 3
        self.read(0, 0)
        self.service.hashes, self.plan = True, []
        for number in reversed(PAGES[1:]):
            self.read(0, number)

    @rule(number=st.sampled_from(PAGES))
    def evict(self, number: int) -> None:
        self.pages.pop(number, None)

    @precondition(lambda self: self.programs)
    @rule(which=st.integers(0, 9))
    def close(self, which: int) -> None:
        self.end(self.programs.pop(which % len(self.programs)))

    def hear(self, program: Program) -> None:
        """Be the kernel, which empties its pages when it hears of an open that wants it, and once."""
        if not (program.is_through or program.reader.keep_pages):
            self.pages.clear()
        program.is_through = True

    def serve(self, program: Program, number: int) -> None:
        """Read a page, as the kernel does: out of what it has, or by asking casfs."""
        self.hear(program)
        try:
            page = self.pages.get(number) if program.reader.uses_pages else None
            if page is None:
                page = read(program.reader, number * PAGE, PAGE)
            if program.reader.uses_pages:
                self.pages[number] = page
            program.seen.add((number, page))
        except CasfsError:
            program.has_failed = True

    def end(self, program: Program) -> None:
        """Close a program's file; what it was served must have been right if nobody told it otherwise."""
        try:
            program.reader.check()
        except CasfsError:
            program.has_failed = True
        program.reader.close()
        if not program.has_failed and str(self.outputs.verification(self.output)) == "whole":
            assert program.is_right, "it ended well, the output is whole, and it was served other bytes"

    def teardown(self) -> None:
        for program in self.programs:
            self.end(program)
        self.plan.clear()
        self.service.hashes = True
        if self.is_rooted:
            self.heal()
        self.mount.__exit__(None, None, None)

    def heal(self) -> None:
        """Read the output of a service that is well again: one read may find old damage, and no more."""
        for _ in range(3):
            reader = self.outputs.open(self.output)
            try:
                assert read(reader, 0, len(RIGHT)) == RIGHT
                break
            except CasfsError:
                pass
            finally:
                reader.close()
        assert str(self.outputs.verification(self.output)) == "whole"


Belief.TestCase.settings = hypothesis_settings(
    max_examples=100, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
test_whoever_ends_well_while_the_output_is_whole_has_seen_its_bytes = Belief.TestCase


def test_who_opens_before_the_kernel_has_heard_of_the_open_that_empties_its_pages_is_not_served_them() -> None:
    """One course of the model, which chance rarely comes to."""
    course = Belief()
    course.begin(is_rooted=False, is_deceived=True)
    course.close(0)
    course.open()
    course.open()
    course.read_all(1)
    course.close(1)
    course.teardown()


def test_who_opens_by_a_newer_document_is_not_served_pages_that_one_fills_who_reads_by_the_older() -> None:
    """Another course of the model: what is in memory was proved by nothing, and is wrong."""
    course = Belief()
    course.begin(is_rooted=False, is_deceived=False)
    course.service.hashes, course.plan = False, [Answer("wrong", "none")] * 3
    course.open()
    course.read(0, 0)
    course.service.hashes, course.plan = True, []
    course.tell_its_hash()
    course.open()
    course.get_through(0)
    course.read(0, 0)
    course.read(1, 0)
    course.open()
    course.read_all(2)
    course.close(1)
    course.teardown()
