-- Text that was read out of attachments, once for each content. It is derived, so backups leave it
-- out; a row goes with its blob.
create table extracts (
  blob_id integer not null,    -- the attachment's bytes; or a copy that they are read from
  position integer not null,   -- the part of that copy; -1: the blob is the attachment
  status text not null,        -- see extracts.py
  version integer not null,    -- of the reading
  text blob,                   -- zstd; null: there is none
  primary key (blob_id, position)
) strict;
create index extracts_by_status on extracts (version, status);
create trigger blob_removed after delete on blobs begin
  delete from extracts where blob_id = old.id;
end;
