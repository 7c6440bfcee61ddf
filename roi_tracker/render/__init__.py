"""How a report looks: JSON document, web page."""
