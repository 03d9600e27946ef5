"""The local cloud: pinned tools, a local AWS emulator, and this repository's stack deployed to it."""
