"""The coast of records: reading PDFs, which happens in a process of its own."""
