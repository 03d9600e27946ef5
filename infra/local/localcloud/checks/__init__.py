"""What is checked and tested: linters, the audit of dependencies, and the suites."""
