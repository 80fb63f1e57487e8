-- Messages whose attachments are to be read; the newest are read first.
create table extract_queue (
  sort_at integer not null,
  message_id integer not null,
  primary key (sort_at, message_id)
) strict, without rowid;
insert into extract_queue (sort_at, message_id)
  select sort_at, id from messages where attachment_count > 0;
