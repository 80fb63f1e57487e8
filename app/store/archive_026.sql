-- Records are found by the beginning of any word of name, code or alias, from the transaction on
-- that made them. Triggers keep it: whoever writes records need not know of it. `scope` holds who
-- may see the record, so that one letter typed is quick also where most records are hidden.
create view folded_aliases (record_id, words) as
  select record_id, group_concat(replace(replace(replace(replace(replace(replace(replace(replace(
    replace(replace(value, 'ł', 'l'), 'Ł', 'l'), 'ø', 'o'), 'Ø', 'o'), 'đ', 'd'), 'Đ', 'd'),
    'ß', 'ss'), 'ẞ', 'ss'), 'æ', 'ae'), 'œ', 'oe'), ' ')
  from record_marks where kind = 'alias' group by record_id;

create view record_scopes (record_id, scope) as
  select record_id, group_concat(token, ' ') from (
    select record_id, 'role' || role_id as token from record_roles
    union all select record_id, 'user' || user_id from record_users)
  group by record_id;

create virtual table record_words using fts5(
  type, scope, name, code, alias, prefix = '1 2 3', tokenize = 'unicode61 remove_diacritics 2'
);
insert into record_words (rowid, type, scope, name, code, alias)
  select r.id, 'type' || r.type_id, coalesce(s.scope, 'all'), r.folded_name, r.code,
    coalesce(a.words, '')
  from records r left join folded_aliases a on a.record_id = r.id
    left join record_scopes s on s.record_id = r.id;

create trigger record_words_added after insert on records begin
  insert into record_words (rowid, type, scope, name, code, alias)
    values (new.id, 'type' || new.type_id, 'all', new.folded_name, new.code, '');
end;
create trigger record_words_changed after update of type_id, folded_name, code on records begin
  update record_words set type = 'type' || new.type_id, name = new.folded_name, code = new.code
    where rowid = new.id;
end;
create trigger record_words_removed after delete on records begin
  delete from record_words where rowid = old.id;
end;
create trigger record_alias_added after insert on record_marks when new.kind = 'alias' begin
  update record_words
    set alias = (select words from folded_aliases where record_id = new.record_id)
    where rowid = new.record_id;
end;
create trigger record_alias_removed after delete on record_marks when old.kind = 'alias' begin
  update record_words
    set alias = coalesce((select words from folded_aliases where record_id = old.record_id), '')
    where rowid = old.record_id;
end;
create trigger record_scope_role_added after insert on record_roles begin
  update record_words
    set scope = coalesce((select scope from record_scopes where record_id = new.record_id), 'all')
    where rowid = new.record_id;
end;
create trigger record_scope_role_removed after delete on record_roles begin
  update record_words
    set scope = coalesce((select scope from record_scopes where record_id = old.record_id), 'all')
    where rowid = old.record_id;
end;
create trigger record_scope_user_added after insert on record_users begin
  update record_words
    set scope = coalesce((select scope from record_scopes where record_id = new.record_id), 'all')
    where rowid = new.record_id;
end;
create trigger record_scope_user_removed after delete on record_users begin
  update record_words
    set scope = coalesce((select scope from record_scopes where record_id = old.record_id), 'all')
    where rowid = old.record_id;
end;

-- What somebody filed last, and what one press of "Confirm" did.
create index filings_by_user on filings (filed_by, filed_at);
create index holdings_set_aside on holdings (set_aside_by, set_aside_at)
  where set_aside_at is not null;
