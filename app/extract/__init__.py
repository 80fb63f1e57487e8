"""The text of attachments, read in a child process with limits.

Bytes, a declared type and a file name in; text and how it went out. Knows no database: whoever
calls keeps what was read. `reader` is the parent's side; the rest runs in the child, so nothing
is imported here.
"""
