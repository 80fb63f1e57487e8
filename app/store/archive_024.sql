-- The lists of queue and archive in order of date, so that 200,000 rows cost what 200 do.

-- What a mailbox's list needs to know of a message beside its own row.
alter table holdings add column is_archived integer not null default 0;
alter table holdings add column is_old integer not null default 0;  -- received long before the account
alter table holdings add column state integer generated always as (case
  when is_archived then 3 when set_aside_at is not null then 2 when not is_live then 4
  when is_old then 1 else 0 end) virtual;  -- 0 waits, 1 waits and is old, 2 aside, 3 archived, 4 gone
update holdings set
  is_archived = exists (select 1 from messages m where m.id = message_id and m.archived_at is not null),
  is_old = received_at < (select created_at from accounts a where a.id = account_id) - 2592000;
drop index holdings_by_date;
create index holdings_by_state on holdings (account_id, state, sort_at, message_id);
create index holdings_archived on holdings (account_id, downloaded_at) where is_archived = 1;
drop trigger message_archived;
create trigger message_archived after update of archived_at on messages begin
  update holdings set is_archived = new.archived_at is not null where message_id = new.id;
  update accounts set pulse = pulse + 1
  where id in (select account_id from holdings where message_id = new.id);
end;

create index messages_by_archiver on messages (archived_by, sort_at, id)
  where archived_by is not null;
alter table filings add column sort_at integer not null default 0;   -- its message's
update filings set sort_at = (select sort_at from messages m where m.id = message_id);
drop index filings_by_record;
create index filings_by_record on filings (record_id, sort_at, message_id);

-- Who reaches an archived message by its records and roles: a row for each pair of them, as
-- "record type, who may see the record, who may read the message". Derived, by the triggers below.
create table reach (
  token text not null,                 -- "1 all any", "3 role:2 any", "1 user:7 role:2"
  sort_at integer not null,
  message_id integer not null,
  primary key (token, sort_at, message_id)
) strict, without rowid;
create index reach_by_message on reach (message_id);
insert into reach (token, sort_at, message_id)
  select distinct r.type_id || ' ' || s.scope || ' ' || coalesce('role:' || x.role_id, 'any'),
    m.sort_at, m.id
  from filings f join messages m on m.id = f.message_id
  join records r on r.id = f.record_id and r.removed_at is null
  join (select r.id as record_id, 'all' as scope from records r
      where not exists (select 1 from record_roles o where o.record_id = r.id)
      and not exists (select 1 from record_users o where o.record_id = r.id)
    union all select record_id, 'role:' || role_id from record_roles
    union all select record_id, 'user:' || user_id from record_users) s on s.record_id = r.id
  left join message_roles x on x.message_id = m.id;

-- A message inserted here has its rows of `reach` made anew.
create view reach_stale as select 0 as message_id;
create trigger reach_renewed instead of insert on reach_stale begin
  delete from reach where message_id = new.message_id;
  insert or ignore into reach (token, sort_at, message_id)
    select r.type_id || ' all ' || coalesce('role:' || x.role_id, 'any'), m.sort_at, m.id
    from filings f join messages m on m.id = f.message_id
    join records r on r.id = f.record_id and r.removed_at is null
    left join message_roles x on x.message_id = m.id
    where f.message_id = new.message_id
    and not exists (select 1 from record_roles o where o.record_id = r.id)
    and not exists (select 1 from record_users o where o.record_id = r.id);
  insert or ignore into reach (token, sort_at, message_id)
    select r.type_id || ' role:' || s.role_id || ' ' || coalesce('role:' || x.role_id, 'any'),
      m.sort_at, m.id
    from filings f join messages m on m.id = f.message_id
    join records r on r.id = f.record_id and r.removed_at is null
    join record_roles s on s.record_id = r.id left join message_roles x on x.message_id = m.id
    where f.message_id = new.message_id;
  insert or ignore into reach (token, sort_at, message_id)
    select r.type_id || ' user:' || s.user_id || ' ' || coalesce('role:' || x.role_id, 'any'),
      m.sort_at, m.id
    from filings f join messages m on m.id = f.message_id
    join records r on r.id = f.record_id and r.removed_at is null
    join record_users s on s.record_id = r.id left join message_roles x on x.message_id = m.id
    where f.message_id = new.message_id;
end;
create trigger filing_added after insert on filings begin
  update filings set sort_at = (select sort_at from messages where id = new.message_id)
  where message_id = new.message_id and record_id = new.record_id;
  insert into reach_stale (message_id) values (new.message_id);
end;
create trigger filing_moved after update of message_id, record_id on filings begin
  update filings set sort_at = (select sort_at from messages where id = new.message_id)
  where message_id = new.message_id and record_id = new.record_id;
  insert into reach_stale (message_id) values (old.message_id);
  insert into reach_stale (message_id) select new.message_id where new.message_id <> old.message_id;
end;
create trigger filing_removed after delete on filings begin
  insert into reach_stale (message_id) values (old.message_id);
end;
create trigger message_role_added after insert on message_roles begin
  insert into reach_stale (message_id) values (new.message_id);
end;
create trigger message_role_removed after delete on message_roles begin
  insert into reach_stale (message_id) values (old.message_id);
end;
create trigger message_dated after update of sort_at on messages
when old.sort_at <> new.sort_at begin
  update filings set sort_at = new.sort_at where message_id = new.id;
  insert into reach_stale (message_id) values (new.id);
end;
create trigger record_role_added after insert on record_roles begin
  insert into reach_stale (message_id)
    select message_id from filings where record_id = new.record_id;
end;
create trigger record_role_removed after delete on record_roles begin
  insert into reach_stale (message_id)
    select message_id from filings where record_id = old.record_id;
end;
create trigger record_user_added after insert on record_users begin
  insert into reach_stale (message_id)
    select message_id from filings where record_id = new.record_id;
end;
create trigger record_user_removed after delete on record_users begin
  insert into reach_stale (message_id)
    select message_id from filings where record_id = old.record_id;
end;
create trigger record_removed after update of removed_at, type_id on records begin
  insert into reach_stale (message_id) select message_id from filings where record_id = new.id;
end;
