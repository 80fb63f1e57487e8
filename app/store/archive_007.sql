-- Tells this archive from every other: a backup grows by the archive alone that began it.
alter table team add column archive_id text not null default '';
update team set archive_id = lower(hex(randomblob(16)));
