"""The web pages: server-rendered, in two languages, with nothing from outside this package."""
