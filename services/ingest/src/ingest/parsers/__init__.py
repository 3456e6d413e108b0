"""Parsers, one module a format. Imported where files are read and nowhere else: they bring large libraries."""
