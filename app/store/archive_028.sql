-- A role or person that a record is opened to, or closed for, costs its mail one row each. Only the
-- first to come and the last to go, for whom it was or becomes open to all, renew its messages.
drop trigger record_role_added;
drop trigger record_role_removed;
drop trigger record_user_added;
drop trigger record_user_removed;

create trigger record_role_added after insert on record_roles begin
  insert or ignore into reach (token, sort_at, message_id)
    select r.type_id || ' role:' || new.role_id || ' ' || coalesce('role:' || x.role_id, 'any'),
      m.sort_at, m.id
    from records r cross join filings f on f.record_id = r.id
    cross join messages m on m.id = f.message_id
    left join message_roles x on x.message_id = m.id
    where r.id = new.record_id and r.removed_at is null;
  insert into reach_stale (message_id)
    select message_id from filings where record_id = new.record_id and 1 = (
      select count(*) from (select 1 from record_roles where record_id = new.record_id
        union all select 1 from record_users where record_id = new.record_id));
end;
create trigger record_role_removed after delete on record_roles begin
  delete from reach where (token, sort_at, message_id) in (
    select r.type_id || ' role:' || old.role_id || ' ' || coalesce('role:' || x.role_id, 'any'),
      m.sort_at, m.id
    from records r cross join filings f on f.record_id = r.id
    cross join messages m on m.id = f.message_id
    left join message_roles x on x.message_id = m.id
    where r.id = old.record_id and not exists (
      select 1 from filings g cross join records o on o.id = g.record_id
      where g.message_id = m.id and o.type_id = r.type_id and o.removed_at is null
      and exists (select 1 from record_roles y
        where y.record_id = o.id and y.role_id = old.role_id)));
  insert into reach_stale (message_id)
    select message_id from filings where record_id = old.record_id
    and not exists (select 1 from record_roles where record_id = old.record_id)
    and not exists (select 1 from record_users where record_id = old.record_id);
end;
create trigger record_user_added after insert on record_users begin
  insert or ignore into reach (token, sort_at, message_id)
    select r.type_id || ' user:' || new.user_id || ' ' || coalesce('role:' || x.role_id, 'any'),
      m.sort_at, m.id
    from records r cross join filings f on f.record_id = r.id
    cross join messages m on m.id = f.message_id
    left join message_roles x on x.message_id = m.id
    where r.id = new.record_id and r.removed_at is null;
  insert into reach_stale (message_id)
    select message_id from filings where record_id = new.record_id and 1 = (
      select count(*) from (select 1 from record_roles where record_id = new.record_id
        union all select 1 from record_users where record_id = new.record_id));
end;
create trigger record_user_removed after delete on record_users begin
  delete from reach where (token, sort_at, message_id) in (
    select r.type_id || ' user:' || old.user_id || ' ' || coalesce('role:' || x.role_id, 'any'),
      m.sort_at, m.id
    from records r cross join filings f on f.record_id = r.id
    cross join messages m on m.id = f.message_id
    left join message_roles x on x.message_id = m.id
    where r.id = old.record_id and not exists (
      select 1 from filings g cross join records o on o.id = g.record_id
      where g.message_id = m.id and o.type_id = r.type_id and o.removed_at is null
      and exists (select 1 from record_users y
        where y.record_id = o.id and y.user_id = old.user_id)));
  insert into reach_stale (message_id)
    select message_id from filings where record_id = old.record_id
    and not exists (select 1 from record_roles where record_id = old.record_id)
    and not exists (select 1 from record_users where record_id = old.record_id);
end;

-- For another role: renewed once, not for the one that comes and for the one that goes.
create trigger message_role_changed after update of role_id on message_roles begin
  insert into reach_stale (message_id) values (new.message_id);
end;
