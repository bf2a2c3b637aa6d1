"""What lives as long as a mount, or asks about one."""
