"""The arithmetic of a drain: what the page about it says is what the script prints."""

import configparser
import re
import runpy
import subprocess
import sys

import pytest
import yaml

from casfs.cli.drain import drain
from tests.checkout import ROOT

PAGE = (ROOT / "docs" / "drain.md").read_text("utf-8")
SCRIPT = ROOT / "contrib" / "how_long.py"
EXAMPLES = re.findall(r"    \$ python contrib/how_long\.py (.*)\n((?:    .*\n)+)", PAGE)


@pytest.mark.parametrize(("options", "printed"), EXAMPLES)
def test_what_the_page_says_is_what_the_script_prints(options: str, printed: str) -> None:
    done = subprocess.run(
        [sys.executable, SCRIPT, *options.split()], capture_output=True, text=True, timeout=120, check=True
    )
    assert [line.strip() for line in printed.splitlines()] == done.stdout.splitlines()


def test_the_page_has_both_providers() -> None:
    assert ["glacier" in options for options, _ in EXAMPLES] == [False, True]


def test_more_hosts_help_until_something_else_takes_longer() -> None:
    names = runpy.run_path(str(SCRIPT))

    def whole(*options: str) -> float:
        (line,) = (each for each in names["lines"](names["case_of"](options)) if each.startswith("days in all"))
        return float(re.split("[:,] ", line.replace(",", ""))[1].split(":")[0])

    one, two, many, more = (
        whole("--provider", "glacier", "--archive", "1G", "--link", "1G", "--hosts", count)
        for count in ("1", "2", "100", "200")
    )
    assert one / two == pytest.approx(2, rel=0.02)
    assert two > many == more


@pytest.mark.parametrize(
    "option",
    ["--bytes=-5", "--archive=0", "--link=0", "--share=2", "--days=0", "--hosts=0", "--daily=inf"],
)
def test_a_number_that_can_be_none_is_refused(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        runpy.run_path(str(SCRIPT))["case_of"]([option])
    assert f"argument {option.partition('=')[0]}: invalid" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["casfs-scheduler.service", "casfs-worker.service"])
def test_units_run_what_there_is_and_leave_keys_to_workers(name: str) -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.read(ROOT / "contrib" / "cluster" / name)
    what = name.removeprefix("casfs-").removesuffix(".service")
    assert f"dask {what} " in unit["Service"]["ExecStart"]
    assert unit.has_option("Service", "LoadCredential") is (what == "worker")
    assert unit["Service"]["Restart"] == "always", "a worker ends with its scheduler, and with status 0"


def test_on_kubernetes_no_pod_is_open_to_others_and_the_scheduler_has_no_keys() -> None:
    told = list(yaml.safe_load_all((ROOT / "contrib" / "cluster" / "kubernetes.yaml").read_text("utf-8")))
    (policy,) = (each["spec"] for each in told if each["kind"] == "NetworkPolicy")
    labels = policy["podSelector"]["matchLabels"]
    assert policy["ingress"] == [{"from": [{"podSelector": {"matchLabels": labels}}]}]
    with_keys = {}
    for each in told:
        if "template" in each["spec"]:
            pod = each["spec"]["template"]
            assert labels.items() <= pod["metadata"]["labels"].items()
            (container,) = pod["spec"]["containers"]
            with_keys[container["name"]] = container.get("envFrom")
            if container["command"][:2] == ["casfs", "drain"]:
                words = [word.partition("=")[0] for word in container["command"] if word.startswith("--")]
                assert set(words) <= {option for each in drain.params for option in each.opts}
    assert with_keys.pop("scheduler") is None
    assert all(found == [{"secretRef": {"name": "casfs"}}] for found in with_keys.values())
    assert set(with_keys) == {"worker", "drain"}
