-- A record's mail by date, however much there is: a filing carries the time its message is sorted by.
alter table filings add column sort_at integer not null default 0;
update filings set sort_at = (select m.sort_at from messages m where m.id = filings.message_id);
drop index filings_by_record;
create index filings_by_date on filings (record_id, sort_at, message_id);
create trigger filing_added after insert on filings begin
  update filings set sort_at = (select m.sort_at from messages m where m.id = new.message_id)
  where message_id = new.message_id and record_id = new.record_id;
end;
create trigger message_dated after update of sort_at on messages
when new.sort_at is not old.sort_at begin
  update filings set sort_at = new.sort_at where message_id = new.id;
end;
create index records_archived on records (type_id) where archived_at is not null;
