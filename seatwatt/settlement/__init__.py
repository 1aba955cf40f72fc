"""Use cases that the API, the jobs and the command line share: read, compute, hand over."""
