-- A refusal stays for each record that was chosen instead: who may not see the one learns from the
-- others as before.
create table refusals_each (
  message_id integer not null references messages on delete cascade,
  record_id integer not null references records on delete cascade,
  sender_address text not null,        -- the message's
  refused_at integer not null,
  chosen_id integer references records on delete cascade   -- what was chosen instead; null: detached
) strict;
insert into refusals_each (message_id, record_id, sender_address, refused_at, chosen_id)
  select message_id, record_id, sender_address, refused_at, chosen_id from refusals;
drop table refusals;
alter table refusals_each rename to refusals;
create unique index refusals_by_message on refusals (message_id, record_id, coalesce(chosen_id, 0));
create index refusals_by_record on refusals (record_id);
create index refusals_by_chosen on refusals (chosen_id) where chosen_id is not null;
create index refusals_by_sender on refusals (sender_address);
