-- mail.db: what came from the servers. Append-only for sync. See recipe.py for how a copy is put
-- together from blobs.
create table blobs (
  id integer primary key,
  digest blob not null unique,          -- SHA-256 of what `get` gives back
  size_bytes integer not null,          -- of what `get` gives back
  form integer not null,                -- 0: payload is the bytes, 1: payload is a recipe for them
  dictionary_id integer,                -- the zstd dictionary of the payload; null: none
  payload blob not null                 -- a zstd frame
) strict;

create table dictionaries (
  id integer primary key,
  trained_at integer not null,
  bytes blob not null
) strict;
