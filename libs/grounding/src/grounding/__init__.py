"""Answers held to numbered passages: how passages are read, quoted and cited, and what is not in them.

Standard library alone: the reader in Triton and the services both use it.
"""
