"""The real things tests run on: a local AWS, the app behind API-Gateway-shaped events, and a look at the wire."""
