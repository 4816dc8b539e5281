"""The kit's errors: each message says what came, what was wanted and what to do."""


class RseduError(Exception):
    """Base of every error that rsedu raises on purpose."""


class InputError(RseduError, ValueError):
    """An argument has the wrong value, shape, unit or order."""


class MissingDataError(RseduError, FileNotFoundError):
    """A file, band or data set that is needed is not there."""


class BrokenDataError(RseduError, OSError):
    """A file is there but cannot be read: truncated, corrupt or of another format."""


class MissingExtraError(RseduError, ImportError):
    """An optional dependency is not installed."""
