"""What the gaps of REST APIs share: the request under way, Velocity, JSONPath."""
