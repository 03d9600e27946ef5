"""Shared code of the gaps of REST APIs: the current request, Velocity, JSONPath."""
