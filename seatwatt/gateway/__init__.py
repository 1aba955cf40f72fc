"""The service at the site: devices -> readings -> spool on disk -> MQTT."""
