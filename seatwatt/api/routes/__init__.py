"""One module a resource; every route is three steps: read, compute, show."""
