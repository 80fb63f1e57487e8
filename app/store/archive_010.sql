-- How the checks of a mailbox fare, so that a restart forgets no interval and no refusal.
alter table accounts add column trouble text not null default '';
alter table accounts add column failures integer not null default 0;   -- in a row
alter table accounts add column refusals integer not null default 0;   -- of the login, in a row
alter table accounts add column failing_since integer;
alter table accounts add column halted_at integer;    -- not looked at until somebody edits it
alter table accounts add column wait_until integer;   -- the server wants to be left alone
alter table accounts add column good_at integer;      -- when a check last came to its end
alter table accounts add column edits integer not null default 0;
update accounts set good_at = (
  select max(checked_at) from account_checks c where c.account_id = accounts.id
  and c.unread is not null);
