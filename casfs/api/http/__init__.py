"""HTTP: connections, bodies, and names for what goes wrong between two machines."""
