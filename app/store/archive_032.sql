-- Whatever changes what a mailbox says of a message has it indexed anew.
create trigger holding_reindexed after update of is_unread, is_live, set_aside_at on holdings
when old.is_unread <> new.is_unread or old.is_live <> new.is_live
  or (old.set_aside_at is null) <> (new.set_aside_at is null) begin
  insert into index_queue (kind, subject_id) values ('message', new.message_id);
end;
create trigger location_reindexed after update of gone_since on locations
when (old.gone_since is null) <> (new.gone_since is null) begin
  insert into index_queue (kind, subject_id)
    select 'message', message_id from copies where id = new.copy_id;
end;
