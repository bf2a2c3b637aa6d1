"""Commands of processes that run code of the tests; what is installed goes before the checkout in them, too."""

import sys

from tests.checkout import ROOT

# At the end of the path: with the checkout at its beginning, it would be tested in place of the wheel.
_START = f"import runpy, sys; sys.path.append({str(ROOT)!r}); "


def module_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of the tests, as ``python -m`` does."""
    run = "runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
    return [sys.executable, "-c", _START + run, module, *arguments]


def code_command(code: str, *arguments: str) -> list[str]:
    """Return the command that runs lines which import modules of the tests, as ``python -c`` does."""
    return [sys.executable, "-c", _START + "\n" + code, *arguments]
