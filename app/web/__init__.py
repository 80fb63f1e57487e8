"""The pages: the only room that knows HTTP and templates.

Owns routes, forms, sessions as cookies, and what a browser may run; must not know SQL, IMAP or
Tantivy. Every handler names the viewer and calls one verb.
"""
