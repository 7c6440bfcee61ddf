"""What vibration and other fast waveforms say about a machine: vectorised over channels, pure."""
