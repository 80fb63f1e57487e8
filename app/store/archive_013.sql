-- How far the first sync of a mailbox is. The worker writes it, the pages read it.
create table first_syncs (
  account_id integer primary key references accounts,
  began_at integer not null,           -- since when it goes on without a longer break
  updated_at integer not null,
  recent text not null default '[]',   -- JSON: [[seconds, messages so far, bytes so far], ...]
  finished_at integer
) strict;
create table first_sync_folders (
  folder_id integer primary key references folders,
  position integer not null,           -- in which order they are read
  total integer not null,              -- messages on the server
  unseen integer not null,
  done integer not null,
  done_bytes integer not null,
  reached_at integer,                  -- when the oldest one stored was received, newest first
  is_complete integer not null default 0
) strict;
insert into first_syncs (account_id, began_at, updated_at, finished_at)
  select account_id, min(checked_at), max(checked_at), min(checked_at) from account_checks
  where error is null group by account_id;
