"""The coast: what comes from banks."""
