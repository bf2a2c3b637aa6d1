"""Run the command line as ``python -m casfs``."""

from casfs.cli.entry import main

if __name__ == "__main__":
    main()
