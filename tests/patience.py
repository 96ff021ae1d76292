"""Limits that are not meant to be hit: so long that only a hang reaches them, however busy the machine is."""

A_HANG = 3600  # seconds
# For nbclient, which gives a kernel a minute to start and 4 seconds to send what a cell has printed.
PATIENT = {"timeout": A_HANG, "startup_timeout": A_HANG, "iopub_timeout": A_HANG}
