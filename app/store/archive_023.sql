-- The audit tells from where, is read page by page, and only grows: a line stays as it was written.
-- (A message that is removed or becomes one with another gives up its number; its line stays.)
alter table audit add column address text not null default '';  -- empty: not over the web
create index audit_by_time on audit (at);
create index audit_by_user on audit (user_id, at);
create index audit_by_verb on audit (verb, at);
create index audit_by_user_verb on audit (user_id, verb, at);
create index audit_by_record on audit (record_id, at) where record_id is not null;
create trigger audit_only_grows before delete on audit begin
  select raise(abort, 'lines of the audit are only added');
end;
create trigger audit_stays before update of id, at, user_id, verb, record_id, account_id, address
on audit begin
  select raise(abort, 'lines of the audit stay as they were written');
end;

create index message_roles_by_role on message_roles (role_id);

alter table users add column last_seen_at integer;
alter table users add column told_at integer not null default 0;  -- until then he was told of access
update users set last_seen_at =
  (select max(last_seen_at) from sessions where sessions.user_id = users.id);
