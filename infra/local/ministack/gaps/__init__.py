"""One module per gap between AWS and MiniStack, each with an `apply()`.

Order does not matter: modules that change the same function of MiniStack wrap what they find.
"""
