-- What keeps the archive sound: when each kind of upkeep ran, and how it ended.
create table upkeep (
  id integer primary key,
  kind text not null,
  began_at integer not null,
  finished_at integer not null,
  is_good integer not null,
  summary text not null,               -- a sentence for people
  detail text not null default '{}'    -- JSON, by kind
) strict;
create index upkeep_by_kind on upkeep (kind, id);
