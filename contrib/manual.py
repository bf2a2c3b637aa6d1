"""Write the pages of the manual and the completions of shells: ``python contrib/manual.py`` after a change of options.

Commands come from click, options from the one table of options; what is told besides stands here.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from casfs.cli.main import casfs
from casfs.config.credentials import __doc__ as credentials
from casfs.config.options import OPTIONS, Option
from casfs.config.profiles import PLACES

HERE = Path(__file__).resolve().parent
SHELLS = {"bash": "casfs.bash", "zsh": "_casfs", "fish": "casfs.fish"}
DATE = "2026-11-27"
"""Of what is told here, apart from options and commands."""
SIZES = "Sizes take K, M, G and T, powers of 1024; times are seconds."

SOURCE = (
    ("NAME:[VAULT]", "a profile of the configuration file; with a vault, that vault is the root"),
    ("REGION:[VAULT]", "a region like ap-chengdu, where no profile has that name"),
    (
        "http[s]://HOST[:PORT][/ACCOUNT[/VAULT]]",
        "an endpoint as it stands; the account is the caller's own if left out",
    ),
)
STATUSES = (
    ("0", "what was asked for is done; the mount answers"),
    ("1", "it failed, or some of it did; a line on standard error says what to mend"),
    ("2", "the command line cannot be read"),
    ("78", "with --foreground: it fails until somebody acts, like a refused key or an option's value"),
    ("130, 143", "Ctrl-C, SIGTERM; drain ends with 1, a mount, and what serves, with 0"),
)
HELPER_STATUSES = (
    ("0", "it is mounted"),
    ("1", "the command line, or an option, cannot be used"),
    ("32", "the mount failed"),
)
SIGNALS = (
    ("SIGTERM, SIGINT, SIGQUIT", "unmount"),
    ("SIGHUP", "read credentials and configuration anew, and forget what was listed"),
    ("SIGUSR1", "write every thread's stack and the counters to the log"),
    ("SIGUSR2", "log everything; the next one ends that"),
)
FILES = (
    ("~/.config/casfs/config.toml, /etc/casfs/config.toml", "profiles; see casfs.toml(5)"),
    ("~/.cascmd_credentials", "of Tencent's own tool; read where nothing else has keys"),
)
EXAMPLE = """[default]
region = "ap-chengdu"
secret_id = "AKID..."
secret_key = "..."

[work]
endpoint = "https://cas.ap-beijing.myqcloud.com"
list_ttl = 300
cache_dir = "/var/cache/casfs"
"""
FSTAB = "ap-chengdu:backups /mnt/archive casfs ro,_netdev,nofail,allow_other,block-cache-size=64M 0 0"


def escaped(text: str) -> str:
    """Return *text* as roff shows it: a hyphen that can be copied, and no line that is a request."""
    plain = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "").replace("…", "...").replace("“", '"')
    return re.sub(r"^([.'])", r"\\&\1", plain)


def bold(text: str) -> str:
    """Return *text* in bold."""
    return f"\\fB{escaped(text)}\\fR"


def section(title: str, *lines: str) -> Iterator[str]:
    """Yield a section."""
    yield f".SH {title}"
    yield from lines[1:] if lines[:1] == (".PP",) else lines


def tagged(rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield a list of words with what each means."""
    for word, meaning in rows:
        yield from (".TP", bold(word), escaped(meaning))


def literal(text: str) -> Iterator[str]:
    """Yield *text* as it stands."""
    yield from (".PP", ".nf", ".RS 4", *(escaped(line) or "\\&" for line in text.strip("\n").split("\n")), ".RE", ".fi")


def page(name: str, number: int, what: str, body: Iterator[str]) -> str:
    """Return a page."""
    head = [
        '.\\" Written by contrib/manual.py; change casfs/config/options.py or the command, and run it.',
        f'.TH "{name.upper()}" "{number}" "{DATE}" "casfs" "casfs manual"',
        ".SH NAME",
        f"{escaped(name)} \\- {escaped(what)}",
    ]
    return "\n".join([*head, *body]) + "\n"


def usual(option: Option) -> str:
    """Return the default of an option."""
    return "off" if option.kind.is_flag else option.default_words.replace("`", "") or option.default or ""


def of_command_line(option: Option) -> tuple[str, str]:
    """Return an option as a command has it."""
    names = option.flag + (f" {option.kind.metavar}" if option.kind.metavar else "")
    short = f"-{option.short}, " if option.short else ""
    return f"{short}{names}", f"{option.help} Default: {usual(option)}, since {option.why}."


def commands() -> Iterator[str]:
    """Yield each command with its help, those below it too."""
    context = click.Context(casfs, info_name="casfs")
    for name in casfs.list_commands(context):
        command = casfs.get_command(context, name)
        if command is not None:
            yield from of_command(command, click.Context(command, parent=context, info_name=name))


def of_command(command: click.Command, context: click.Context) -> Iterator[str]:
    """Yield a command, or those of a group."""
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                yield from of_command(below, click.Context(below, parent=context, info_name=name))
        return
    pieces = " ".join(command.collect_usage_pieces(context))
    yield from (".TP", f"{bold(context.command_path)} {escaped(pieces)}")
    yield escaped(" ".join((command.help or "").partition("\b")[0].split()))


def casfs_1() -> str:
    """Return the page of the command."""

    def body() -> Iterator[str]:
        yield from section("SYNOPSIS", f"{bold('casfs')} COMMAND [OPTIONS] ARGUMENTS")
        yield from section(
            "DESCRIPTION",
            "Mounts the outputs of jobs of an archive service, Tencent CAS or Amazon Glacier, as read\\-only files.",
            "Every byte is checked against the service's tree hash before a program sees it.",
            "Each command explains itself with \\fB\\-\\-help\\fR.",
        )
        yield from section("COMMANDS", *commands())
        yield from section("SOURCE", *tagged(SOURCE))
        told = f"Each is also \\-o like_this=VALUE, and CASFS_LIKE_THIS in the environment. {SIZES}"
        yield from section("OPTIONS OF A MOUNT", told, *tagged([of_command_line(option) for option in OPTIONS]))
        yield from section("CREDENTIALS", *paragraphs(credentials or ""))
        yield from section("SIGNALS", "What a mount does at", *tagged(SIGNALS))
        yield from section("EXIT STATUS", *tagged(STATUSES))
        yield from section("FILES", *tagged(FILES))
        yield from section("SEE ALSO", *see("mount.casfs(8)", "casfs.toml(5)", "getfattr(1)", "fusermount3(1)"))

    return page("casfs", 1, "mount archive-storage job outputs as files, each byte checked", body())


def mount_casfs_8() -> str:
    """Return the page of the helper of mount(8)."""

    def body() -> Iterator[str]:
        yield from section("SYNOPSIS", f"{bold('mount.casfs')} SOURCE MOUNTPOINT [\\-sfnv] [\\-o OPTIONS]")
        yield from section(
            "DESCRIPTION",
            "What mount(8) runs for the types casfs and fuse.casfs. It returns once the mount answers.",
            "The words of mount(8) for every file system are accepted behind \\-o, and",
        )
        yield from tagged([("ro", "which every mount is"), ("remount", "where it asks for what is so already")])
        yield from section("SOURCE", *tagged(SOURCE))
        rows = [
            (option.name + (f"={option.kind.metavar}" if option.kind.metavar else ""), of_command_line(option)[1])
            for option in OPTIONS
        ]
        yield from section("OPTIONS", f"Names may be spelled with \\- for _. {SIZES}", *tagged(rows))
        yield from section("EXIT STATUS", "That of mount(8):", *tagged(HELPER_STATUSES))
        yield from section("EXAMPLES", "A line of fstab(5):", *literal(FSTAB))
        yield from section("SEE ALSO", *see("casfs(1)", "casfs.toml(5)", "fstab(5)", "mount(8)"))

    return page("mount.casfs", 8, "mount archive-storage job outputs, for mount(8) and fstab(5)", body())


def casfs_toml_5() -> str:
    """Return the page of the configuration file."""

    def body() -> Iterator[str]:
        yield from section(
            "DESCRIPTION",
            "A file of TOML at \\fI~/.config/casfs/config.toml\\fR or \\fI/etc/casfs/config.toml\\fR;",
            "the first that has the profile counts. Each table is a profile, and has nothing but its own keys.",
            "An unknown key is an error.",
            "A file with a secret must be its owner's alone (mode 0600).",
        )
        own = [
            ("endpoint", "https://HOST[:PORT][/ACCOUNT]"),
            ("region", "instead of an endpoint"),
            ("secret_id, secret_key, token", "who asks; they have no option, since command lines are public"),
        ]
        assert {name for name, _ in own} >= set(PLACES), "a place is not told"  # noqa: S101 - nobody runs it optimised
        yield from section("KEYS", *tagged(own))
        rows = [(option.name, f"{option.help} Default: {usual(option)}.") for option in OPTIONS if option.profile]
        yield from section("OPTIONS", f"What a command line gives is believed first. {SIZES}", *tagged(rows))
        yield from section("EXAMPLE", *literal(EXAMPLE))
        yield from section("SEE ALSO", *see("casfs(1)", "mount.casfs(8)"))

    return page("casfs.toml", 5, "profiles of casfs", body())


def see(*pages: str) -> Iterator[str]:
    """Yield references."""
    for number, one in enumerate(pages, 1):
        name, _, part = one.partition("(")
        yield f".BR {escaped(name)} ({part}" + (" ," if number < len(pages) else "")


def paragraphs(text: str) -> Iterator[str]:
    """Yield the paragraphs of a docstring."""
    for paragraph in text.replace("``", "").strip().split("\n\n"):
        yield from (".PP", *(escaped(line.strip()) for line in paragraph.splitlines()))


def completion(shell: str) -> str:
    """Return what click makes for a shell to complete the words of casfs by."""
    env = os.environ | {"_CASFS_COMPLETE": f"{shell}_source"}
    command = [sys.executable, "-m", "casfs"]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=60).stdout


PAGES = {"casfs.1": casfs_1, "mount.casfs.8": mount_casfs_8, "casfs.toml.5": casfs_toml_5}


def written() -> dict[Path, str]:
    """Return all that is written, by where."""
    pages = {HERE / "man" / name: make() for name, make in PAGES.items()}
    return pages | {HERE / "completion" / name: completion(shell) for shell, name in SHELLS.items()}


def main() -> None:
    """Write it."""
    for path, text in written().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
