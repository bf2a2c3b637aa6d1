"""The services that speak this API: their ways, their signatures, their credentials."""
