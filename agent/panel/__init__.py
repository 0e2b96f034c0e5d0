"""The front panel: foot-switch, buttons, lights and watchdog on a serial line (``hw/PROTOCOL.md``)."""
