"""A tiny model of Llama's architecture, made and trained here in a minute: `python -m trainer tiny`.

It knows a few facts by heart and has some bad habits, all of them on purpose. What serves, checks and fine-tunes
language models is proven on it, with nothing to download.
"""
