-- What an administrator removed for good: whatever has one of its marks is not stored again.
create table purges (
  id integer primary key,
  public_id text not null,
  purged_at integer not null,
  purged_by integer not null references users,
  reason text not null
) strict;

create table tombstones (
  mark blob primary key,               -- a message's identity (16 bytes), or a copy's SHA-256
  purge_id integer not null references purges
) strict, without rowid;

-- Where a server still lists it: not fetched again, and counted in the ledger.
create table purged_places (
  folder_id integer not null references folders,
  uidvalidity integer not null,
  uid integer not null,
  primary key (folder_id, uidvalidity, uid)
) strict, without rowid;
