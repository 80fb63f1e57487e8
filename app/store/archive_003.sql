-- Every pass over a mailbox asks who set its server last.
create index audit_by_account on audit (account_id, id) where account_id is not null;
create index audit_by_message on audit (message_id, id) where message_id is not null;
