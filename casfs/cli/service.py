"""What the commands around the embedded service share: whom it knows."""

SECRET_ID = "AKIDcasfsEmulator"  # noqa: S105 - as below
SECRET_KEY = "casfsEmulatorKey"  # noqa: S105 - printed by the commands: it opens nothing but made-up vaults on loopback
AWS_SECRET_ID = "AKIACASFSEMULATORKEY"  # noqa: S105 - as above; as long as AWS makes them, which some clients look at
AWS_SECRET_KEY = "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"  # noqa: S105 - as above
KEYS = {SECRET_ID: SECRET_KEY}
AWS_KEYS = {AWS_SECRET_ID: AWS_SECRET_KEY}
