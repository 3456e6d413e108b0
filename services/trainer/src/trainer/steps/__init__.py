"""The stages of a run as work: each reads what those before it left in the run's folder, and leaves its own there.

A stage that is done is passed over, so that any of them may be repeated at any time. They are called by the worker and
by workflow engines through the same command line.
"""
