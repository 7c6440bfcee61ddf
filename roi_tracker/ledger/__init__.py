"""The programme's books: an append-only ledger, what it costs, who claims what. Import from the files."""
