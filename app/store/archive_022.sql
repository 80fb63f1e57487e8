-- What people said of suggestions: records that a message does not belong to, by detaching it or by
-- choosing another than the one that was filled in.
create table refusals (
  message_id integer not null references messages on delete cascade,
  record_id integer not null references records on delete cascade,
  sender_address text not null,        -- the message's
  refused_at integer not null,
  chosen_id integer references records on delete cascade,  -- what was chosen instead; null: detached
  primary key (message_id, record_id)
) strict, without rowid;
create index refusals_by_record on refusals (record_id);
create index refusals_by_chosen on refusals (chosen_id) where chosen_id is not null;
create index refusals_by_sender on refusals (sender_address);
-- Where a sender's mail was filed last.
create index messages_filed_by_sender on messages (sender_address, sort_at)
  where archived_at is not null;
