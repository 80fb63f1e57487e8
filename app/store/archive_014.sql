-- Counts how often mail of a mailbox came, went or changed, so that who asks every five seconds
-- need not be counted anew.
alter table accounts add column pulse integer not null default 0;
create trigger holding_added after insert on holdings begin
  update accounts set pulse = pulse + 1 where id = new.account_id;
end;
create trigger holding_changed after update on holdings
when (new.is_unread, new.is_live, new.received_at, new.sort_at, new.set_aside_at)
  is not (old.is_unread, old.is_live, old.received_at, old.sort_at, old.set_aside_at) begin
  update accounts set pulse = pulse + 1 where id = new.account_id;
end;
create trigger holding_removed after delete on holdings begin
  update accounts set pulse = pulse + 1 where id = old.account_id;
end;
create trigger message_archived after update of archived_at on messages begin
  update accounts set pulse = pulse + 1
  where id in (select account_id from holdings where message_id = new.id);
end;
