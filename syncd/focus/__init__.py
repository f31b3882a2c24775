"""The client of the Focus API: its six calls, over HTTP."""
