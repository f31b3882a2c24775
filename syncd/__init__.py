"""syncd keeps a local folder and a Toggl Focus task's attachments the same thing."""

__version__ = "0.1.0"
