-- Records carry ids of other systems, unique within a type, may share a name with another one, and
-- leave a row behind when they are merged or removed, for the audit and for old addresses.
create table new_records (
  id integer primary key,
  public_id text not null unique,
  type_id integer not null references record_types,
  name text not null,
  folded_name text not null,
  code text not null,
  external_id text,
  notes text not null,
  created_at integer not null,
  archived_at integer,
  removed_at integer,
  merged_into integer references new_records,
  unique (type_id, external_id)
) strict;
insert into new_records
  (id, public_id, type_id, name, folded_name, code, external_id, notes, created_at, archived_at)
  select id, public_id, type_id, name, folded_name, code, external_id, notes, created_at,
    archived_at from records;
drop table records;
alter table new_records rename to records;
create index records_by_name on records (type_id, folded_name, id);
create index records_by_code on records (type_id, code collate nocase) where code != '';

alter table record_types add column icon text not null default '';
alter table record_types add column code_prefix text not null default '';
alter table record_types add column archived_at integer;
