"""The Focus API over HTTP: six calls, one transport, one way of sending files."""
