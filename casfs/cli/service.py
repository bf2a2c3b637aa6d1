"""What the commands around the embedded service share: whom it knows."""

SECRET_ID = "AKIDcasfsEmulator"  # noqa: S105 - as below
SECRET_KEY = "casfsEmulatorKey"  # noqa: S105 - printed by the commands: it opens nothing but made-up vaults on loopback
KEYS = {SECRET_ID: SECRET_KEY}
