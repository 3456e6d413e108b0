"""Any GGUF language model as a reader, through llama.cpp.

llama.cpp's own server (`serve`) runs as a child process of the Triton model, in a Python of its own: a model that
brings it down takes nothing else with it. `process` keeps it, `client` speaks to it, `reader` answers with it; `files`
and `environment` set things up.
"""
