-- Small blobs share a block, one zstd frame: like beside like compresses to a third of what each
-- alone does, and the tables stay small.
create table blocks (
  id integer primary key autoincrement,  -- never given twice: a backup takes those it has not
  kind integer not null,                 -- of all its blobs; 0: recipes, 1: text, 2: other bytes
  payload blob not null                  -- a zstd frame of their contents, one after the other
) strict;

alter table blobs rename to old_blobs;
insert into blocks (id, kind, payload)
  select id, case form when 1 then 0 else 2 end, payload from old_blobs;

create table blobs (
  id integer primary key,
  digest blob not null,       -- SHA-256 of what `get` gives back
  block_id integer not null,  -- no foreign key: its check would read all rows for each dropped block
  start integer not null,     -- where its content begins in the block
  size_bytes integer          -- of its content there; null: up to the block's end
) strict;
insert into blobs (id, digest, block_id, start) select id, digest, id, 0 from old_blobs;
drop table old_blobs;
drop table dictionaries;
-- Eight bytes tell digests apart; the row has all 32.
create index blobs_by_digest on blobs (substr(digest, 1, 8));
