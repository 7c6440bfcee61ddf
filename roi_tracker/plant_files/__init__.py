"""The plant's own files: counts, stops, energy, hours, indicators, audits, escapes and costs as CSV or XLSX."""
