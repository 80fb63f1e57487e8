-- Lean tables: mail.db (attached as `mail`) alone keeps digests, and what the text tells is read
-- from the text.
-- A copy whose bytes are lost stays, damaged as it was: verification tells, a repair fetches it.
insert into mail.blobs (digest, block_id, start)
  select digest, 0, 0 from copies c where not exists (
    select 1 from mail.blobs b
    where substr(b.digest, 1, 8) = substr(c.digest, 1, 8) and b.digest = c.digest);
create table new_copies (
  id integer primary key,              -- that of the blob in mail.db, which has the SHA-256
  message_id integer not null references messages,
  size_bytes integer not null,
  stored_at integer not null
) strict;
insert into new_copies (id, message_id, size_bytes, stored_at)
  select b.id, c.message_id, c.size_bytes, c.stored_at
  from copies c join mail.blobs b
    on substr(b.digest, 1, 8) = substr(c.digest, 1, 8) and b.digest = c.digest;
update locations set copy_id = (
  select b.id from copies c join mail.blobs b
    on substr(b.digest, 1, 8) = substr(c.digest, 1, 8) and b.digest = c.digest
  where c.id = locations.copy_id);
drop table copies;
alter table new_copies rename to copies;
create index copies_by_message on copies (message_id);

alter table parts add column blob_id integer;     -- its decoded bytes; null: read it from a copy
update parts set blob_id = (
  select b.id from mail.blobs b
  where substr(b.digest, 1, 8) = substr(parts.digest, 1, 8) and b.digest = parts.digest);
alter table parts drop column digest;

alter table messages add column text_blob integer;  -- the readable text; null: there is none
update messages set identity = substr(identity, 1, 16), text_blob = (
  select b.id from mail.blobs b
  where substr(b.digest, 1, 8) = substr(messages.text_digest, 1, 8)
    and b.digest = messages.text_digest);
alter table messages drop column text_digest;
alter table messages drop column preview;
alter table messages drop column internet_message_id;
