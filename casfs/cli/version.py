"""Which version of casfs this is."""

import importlib.metadata


def version() -> str:
    """Return the version that is installed; a checkout that is not has none."""
    try:
        return importlib.metadata.version("casfs")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"
