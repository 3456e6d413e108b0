"""The pages, one module each, and the larger parts they are made of.

Not called `pages`: Streamlit takes a folder of that name beside its script for pages of its own.
"""
