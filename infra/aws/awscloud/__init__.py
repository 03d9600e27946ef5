"""This repository's stack on AWS: deployed, tried out, removed. Runs with the Python of the tool set `sam`, which has AWS's SDK."""
