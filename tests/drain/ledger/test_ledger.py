"""The ledger: one run's at a time, readable while it runs, and whole after each step."""

import signal
from contextlib import closing
from pathlib import Path

import pytest

from casfs.drain.archive import Archive, State
from casfs.drain.ledger.database import Database
from casfs.drain.ledger.ledger import Ledger, Page, default_path
from casfs.drain.names import Naming
from casfs.errors import ConfigError, LedgerError, ProtocolError

HASH = "0123456789abcdef" * 4


def enter(ledger: Ledger, *archives: Archive) -> None:
    with ledger.step():
        ledger.archives.add(archives, Naming.DESCRIPTION)
        ledger.archives.finish()


def entered(path: Path, *archives: Archive) -> Ledger:
    ledger = Ledger(path)
    enter(ledger, *archives)
    return ledger


def archive(name: str, description: str = "", size: int = 1) -> Archive:
    return Archive(name, description, "2014-01-01", size, HASH)


def test_a_second_run_is_refused_and_whoever_looks_is_not(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "ledger"
    with entered(path, archive("a")) as ledger:
        with pytest.raises(ConfigError, match="another run has this ledger"):
            Ledger(path)
        (tmp_path / "link").symlink_to(path)
        with pytest.raises(ConfigError, match="another run has this ledger"):
            Ledger(tmp_path / "link")
        with ledger.step():
            ledger.archives.move(1, State.ASKED, job="j")
            with Ledger(path, is_looking=True) as looked_at:
                assert looked_at.archives.totals()[State.NEW] == (1, 1)
        with Ledger(path, is_looking=True) as looked_at:
            assert looked_at.archives.totals()[State.ASKED] == (1, 1)
    Ledger(path).__exit__(None, None, None)
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_no_ledger_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"text" * 1000)
    with pytest.raises(ConfigError, match="no ledger"):
        Ledger(path)
    with pytest.raises(ConfigError, match="no ledger"):
        Ledger(path, is_looking=True)
    path.write_bytes(b"")
    with pytest.raises(ConfigError, match="no ledger"):
        Ledger(path, is_looking=True)
    with pytest.raises(LedgerError, match=r"directory|unable"):
        Ledger(tmp_path)
    with pytest.raises(LedgerError, match="unable to open"):
        Ledger(tmp_path / "nothing", is_looking=True)


def half_done(ledger: Ledger) -> None:
    ledger.archives.move(1, State.ASKED)
    ledger.put("what is no value", object())


def test_a_step_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with entered(tmp_path / "x", archive("a")) as ledger:
        with pytest.raises(TypeError), ledger.step():
            half_done(ledger)
        assert ledger.archives.totals()[State.NEW] == (1, 1)


def test_a_ledger_belongs_to_one_drain(tmp_path: Path) -> None:
    with Ledger(tmp_path / "x") as ledger:
        ledger.belong(vault="a", destination="b")
        ledger.belong(vault="a", destination="b")
        with pytest.raises(ConfigError, match="its destination is b, and not c"):
            ledger.belong(vault="a", destination="c")


def test_archives_that_two_pages_have_are_one_and_two_of_one_id_are_an_error(tmp_path: Path) -> None:
    with entered(tmp_path / "x", archive("a", "x"), archive("b", "x"), archive("a", "x")) as ledger:
        assert [each.id for _, each, _ in ledger.archives.described()] == ["a", "b"]
        assert sorted(entry.path for entry in ledger.archives.entries(State.NEW)) == ["x", "x.b"]
    with Ledger(tmp_path / "y") as ledger, pytest.raises(ProtocolError, match="two archives are called 'a'"):
        enter(ledger, archive("a", size=1), archive("a", size=2))


def test_descriptions_come_back_as_they_were(tmp_path: Path) -> None:
    hostile = ["\ud800", "\0", "e\u0301", "a\\u0041\\", '"', "\u2028", "\n", "'; DROP TABLE archive; --"]
    with entered(tmp_path / "x", *(archive(f"id-{n}", text) for n, text in enumerate(hostile))) as ledger:
        assert [each.description for _, each, _ in ledger.archives.described()] == hostile


def test_names_are_parted_as_the_inventory_has_them(tmp_path: Path) -> None:
    texts = ["a/b", "A/B", "a", "t", "T", "t/x", "é", "e\u0301", "", "manifest.jsonl"]
    with entered(tmp_path / "x", *(archive(f"id{n}", text) for n, text in enumerate(texts))) as ledger:
        paths = [entry.path for entry in ledger.archives.entries(State.NEW)]
    assert paths == [
        "a/b", "A/B.id1", "a.id2", "t", "T.id4", "t.id5/x", "é", "é.id7", "id8", "manifest.id9.jsonl",
    ]  # fmt: skip


def test_retrievals_are_counted_once_each(tmp_path: Path) -> None:
    with entered(tmp_path / "x", archive("a", size=7)) as ledger:
        with ledger.step():
            assert ledger.retrievals.add("j", "a", 10, 7)
            assert not ledger.retrievals.add("j", "a", 10, 7)
            assert ledger.retrievals.add("k", "a", 20, 7)
            ledger.retrievals.end("j", "expired")
        assert ledger.retrievals.count() == (2, 14)
        assert list(ledger.retrievals.since(10)) == [(20, 7)]
        assert ledger.retrievals.over("a") == {"j"}
        assert [entry.attempts for entry in ledger.archives.entries(State.NEW)] == [2]


def test_parts_of_an_inventory_are_kept_until_they_are_forgotten(tmp_path: Path) -> None:
    with Ledger(tmp_path / "x") as ledger:
        with ledger.step():
            ledger.put_page(Page(1, "", "j", "m", 3, "2026"))
            ledger.put_page(Page(2, "m", "k"))
            ledger.drop_page(1)
            ledger.drop_page(2)
        assert ledger.pages() == [Page(1, "", "j", "m", 3, "2026")]
        ledger.forget_inventory()
        assert ledger.pages() == []


def test_a_ledger_lies_where_state_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    usual = default_path("my.vault", "mine", tmp_path)
    assert usual.parent == tmp_path / ".local" / "state" / "casfs" / "drain"
    assert usual.name.startswith("my_vault-")
    assert usual != default_path("my.vault", "yours", tmp_path)
    with pytest.raises(ConfigError, match="--ledger"):
        default_path("v", "mine", None)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert default_path("v", "mine", None).parent == tmp_path / "state" / "casfs" / "drain"
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert default_path("my.vault", "mine", tmp_path) == usual


def test_a_signal_ends_a_statement_that_would_take_for_ever(tmp_path: Path) -> None:
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"

    def stop(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, stop)
    with closing(Database(tmp_path / "x")) as database:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        try:
            with pytest.raises(KeyboardInterrupt), database.step():
                database.row(endless)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        assert database.row("SELECT 1") == (1,)
