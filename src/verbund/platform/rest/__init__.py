"""The interface for machines (Programmierschnittstelle): JSON over HTTP, described by OpenAPI, beside the pages.

A room's `rest/` package holds a `Router` with its endpoints; `config/api.py` puts them together. An endpoint says with
`@needs(Permission.X)` or `@open_to_all(reason)` who may call it, translates the request, makes one call at a door, and
translates the result. Who asks, how often, and what a refusal looks like is settled here:

* `doors.py`     who comes in: the key, the room, the permission, the rate; what is sent twice is done once
* `problems.py`  refusals as Problem Details (RFC 9457) in the caller's language
* `values.py`    texts, days, money and pages as they appear in requests and answers
"""
