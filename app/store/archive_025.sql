-- The records of a type that were put away.
create index records_archived on records (type_id) where archived_at is not null;
