"""The patterns over HTTP, for a FastAPI app of your own (``pip install celeriac-cookbook[web]``)."""
