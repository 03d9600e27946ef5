"""Where S3 stores objects.

Not a difference from AWS: the files of an instance are in its folder, and instances share none.

LocalStack 2026.3.0: in /tmp/localstack-s3-storage, whatever the values of FILESYSTEM_ROOT and TMPDIR.

Here: in a new folder below TMPDIR.
"""

from localstack.services.s3 import provider


def apply() -> None:
    """Remove the fixed folder: without it, S3 creates one."""
    provider.DEFAULT_S3_TMP_DIR = None
