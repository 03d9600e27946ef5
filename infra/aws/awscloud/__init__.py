"""Deploys, tests and removes this repository's stack on AWS. Runs with the Python of the tool set `sam`, which has the AWS SDK."""
