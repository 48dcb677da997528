"""The face: base templates, form components, colours and messages of both faces, portal and workspace.

Words: *portal* (citizens, phone first), *workspace* (staff, wide screen), *console* (the alliance). Rooms extend
``ui/portal.html``, ``ui/workspace.html`` or ``ui/console.html`` and use the includes that docs/howto/ui.md lists.
Neighbours: reads ``request.actor`` and the body of the request; the entries of the navigation come from the settings.
"""
