-- The first day: the roles of the help page, what each person prefers, passwords between two forms.
insert into roles (name) values ('office worker'), ('foreman'), ('project manager')
  on conflict do nothing;

alter table team add column set_up_at integer;

alter table users add column language text not null default '';   -- empty: the browser's
alter table users add column time_zone text not null default '';  -- empty: the team's
alter table users add column put_away text not null default '';   -- hints, blank between

alter table accounts add column auth_type text not null default 'password'
  check (auth_type in ('password', 'oauth'));

alter table jobs add column progress text not null default '';    -- JSON, by kind

-- A password typed into a form that came back (tested, or with an error): sealed, for ten minutes.
create table kept_passwords (
  token_digest blob primary key,
  user_id integer not null references users,
  sealed blob not null,
  expires_at integer not null
) strict, without rowid;
