-- Which conversations became part of another: a row each, where an index over every reference stood.
create table thread_joins (
  other integer primary key,           -- what the references still say
  thread_id integer not null
) strict;
drop index thread_references_by_thread;
