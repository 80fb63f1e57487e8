"""The demo company: its people, records and mail, and a small read-only IMAP server for it.

Owns what `letterbook demo` shows, what the bench measures on, and what tests take as a corpus.
It must not know HTTP, SQL or the command line. Every person, firm and address is invented.
"""
