"""Commands of `roi-tracker`, one group a file; a command imports what it runs, so that `--help` waits for nothing."""
