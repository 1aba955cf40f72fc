"""One file a protocol: how its devices are read, or listened to."""
