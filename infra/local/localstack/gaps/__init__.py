"""One module per gap between AWS and LocalStack's open-source core, each with an `apply()`.

Order does not matter: modules that change the same function of LocalStack wrap what they find.
"""
