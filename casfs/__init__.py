"""Mount archive-storage job outputs as a read-only file system that checks every byte."""
