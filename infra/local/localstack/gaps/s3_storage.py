"""Where S3 keeps objects.

Not a matter of AWS: an instance's files are in its folder, and no two instances share any.

LocalStack 2026.3.0: in /tmp/localstack-s3-storage, whatever FILESYSTEM_ROOT and TMPDIR say.

Here: in a new folder of TMPDIR's.
"""

from localstack.services.s3 import provider


def apply() -> None:
    """Take away the fixed folder: without one, S3 makes its own."""
    provider.DEFAULT_S3_TMP_DIR = None
