-- Messages that are no more under these ids, which are not given again.
create table former_messages (
  id integer primary key,
  public_id text not null unique,
  message_id integer references messages  -- what it became part of; null: it was removed
) strict;
create index former_messages_by_message on former_messages (message_id);
