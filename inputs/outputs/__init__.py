"""What codes wrote, read back: finished, unconverged, crashed, cut off and still running apart."""
