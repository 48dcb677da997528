"""Benchmarks (Messungen) on an instance of its own: `make bench`, `make bench-growth`; docs/benchmarks.md says how.

`place` starts the instance, `models` and `multiplying` fill it, `web_calls` and `service_calls` name what is measured,
`cpu` and `driving` measure it, `floor` does the same with plain SQL, `rows` keeps the figures, `page` writes them down.
"""
