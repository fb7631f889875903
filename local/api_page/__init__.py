"""A page with the API for developers: read it, log in as a demo person, try calls. Never shipped.

The viewer is Swagger UI out of a PyPI package, so the page needs no network. Calls go through this little
server to the deployed API: a browser would need CORS otherwise, which the API has no other use for.
"""
