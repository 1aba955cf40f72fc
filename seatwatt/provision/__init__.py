"""Who may talk to the broker: certificates, passwords, access lists and its configuration."""
