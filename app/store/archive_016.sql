-- What a server calls a message wherever it lies (EMAILID, X-GM-MSGID), and the copy fetched for it.
create table object_ids (
  account_id integer not null references accounts,
  object_id text not null,
  copy_id integer not null references copies on delete cascade,
  primary key (account_id, object_id)
) strict, without rowid;
create index object_ids_by_copy on object_ids (copy_id);
-- What vanished lately may come back under another UID.
create index locations_gone on locations (gone_since) where gone_since is not null;
