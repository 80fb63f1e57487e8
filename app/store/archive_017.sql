-- Every pass over a folder that changed its sum or its error, and every full comparison.
create table passes (
  id integer primary key,
  folder_id integer not null references folders,
  passed_at integer not null,
  seen integer not null,
  stored integer not null,
  known integer not null,
  skipped integer not null,
  failed integer not null,
  error text
) strict;
create index passes_by_folder on passes (folder_id, id);

create table comparisons (
  id integer primary key,
  folder_id integer not null references folders,
  compared_at integer not null,
  messages integer not null,           -- on the server
  missed integer not null,             -- were there before, and overlooked
  vanished integer not null,
  changed integer not null             -- had other flags than we knew
) strict;
create index comparisons_by_folder on comparisons (folder_id, id);

-- A message that could not be read before it vanished was seen all the same.
alter table failures add column gone_since integer;
