"""The settings of one agent: one TOML file, typed and bounded; nothing here opens a file."""
