-- The ids under which other systems knew records that became part of another one.
create table record_ids (
  type_id integer not null references record_types,
  external_id text not null,
  record_id integer not null references records,
  primary key (type_id, external_id)
) strict, without rowid;
create index record_ids_by_record on record_ids (record_id);
create index records_merged on records (merged_into) where merged_into is not null;
