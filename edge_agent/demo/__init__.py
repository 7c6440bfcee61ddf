"""`edge-agent demo`: the whole route on this machine, as child processes; imports neither other package."""
