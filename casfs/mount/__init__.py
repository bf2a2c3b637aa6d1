"""The process of a mount: how it is made, how long it lives, and how it goes."""
