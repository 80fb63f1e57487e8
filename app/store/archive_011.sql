-- What a server calls a folder under any name (OBJECTID, RFC 8474); empty: it does not tell.
alter table folders add column mailbox_id text not null default '';
