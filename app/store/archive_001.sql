-- archive.db: what is known and what people made of it. Times are whole seconds since 1970, UTC.

-- people
create table team (
  id integer primary key check (id = 1),
  names text not null default '[]',    -- JSON list
  domains text not null default '[]',  -- JSON list
  language text not null default 'en',
  time_zone text not null default ''
) strict;
insert into team (id) values (1);

create table users (
  id integer primary key,
  public_id text not null unique,
  email text not null unique,          -- case-folded
  name text not null,
  password_hash text,
  is_admin integer not null default 0,
  created_at integer not null,
  deactivated_at integer
) strict;

create table roles (
  id integer primary key,
  name text not null unique collate nocase
) strict;

create table user_roles (
  user_id integer not null references users,
  role_id integer not null references roles,
  primary key (user_id, role_id)
) strict, without rowid;

create table sessions (
  token_digest blob primary key,       -- SHA-256 of the cookie's token
  user_id integer not null references users,
  created_at integer not null,
  last_seen_at integer not null,
  address text not null,
  agent text not null
) strict, without rowid;
create index sessions_by_user on sessions (user_id);

create table sign_in_links (
  token_digest blob primary key,
  user_id integer not null references users,
  created_at integer not null,
  expires_at integer not null
) strict, without rowid;

create table sign_in_failures (
  key text not null,                   -- "user:..." or "address:..."
  failed_at integer not null
) strict;
create index sign_in_failures_by_key on sign_in_failures (key, failed_at);

-- mailboxes
create table accounts (
  id integer primary key,
  public_id text not null unique,
  address text not null,
  host text,                           -- null: archive-only
  port integer,
  security text check (security in ('tls', 'starttls', 'none')),
  login text,
  sealed_password blob,                -- AEAD, bound to the account's public id
  verify_certificate integer not null default 1,
  is_strict integer not null default 0,
  created_at integer not null,
  due_at integer not null default 0,   -- when the worker looks at it next
  paused_at integer,
  closed_at integer
) strict;
create unique index accounts_by_login on accounts (address, coalesce(host, ''), coalesce(login, ''));

create table account_users (
  account_id integer not null references accounts,
  user_id integer not null references users,
  primary key (user_id, account_id)
) strict, without rowid;
create index account_users_by_account on account_users (account_id);

create table account_skip_folders (
  account_id integer not null references accounts,
  name text not null,
  primary key (account_id, name)
) strict, without rowid;

create table account_checks (
  id integer primary key,
  account_id integer not null references accounts,
  checked_at integer not null,
  unread integer,
  new integer,
  error text
) strict;
create index account_checks_by_account on account_checks (account_id, id);

create table folders (
  id integer primary key,
  account_id integer not null references accounts,
  name text not null,                  -- decoded full path
  special_use text not null default '',
  skipped_by text,                     -- the skip entry that matched; null: imported
  uidvalidity integer,
  uidnext integer,
  highestmodseq integer,
  server_messages integer not null default 0,
  server_unseen integer not null default 0,
  checked_at integer,
  gone_since integer,
  error text,
  unique (account_id, name)
) strict;

-- mail
create table messages (
  id integer primary key,
  public_id text not null unique,
  identity blob not null unique,       -- SHA-256 over Message-ID and content digest
  thread_id integer not null,
  internet_message_id text not null,
  subject text not null,
  sender_name text not null,
  sender_address text not null,
  to_summary text not null,
  preview text not null,
  sent_at integer,
  sort_at integer not null,
  size_bytes integer not null,
  attachment_count integer not null,
  text_digest blob,                    -- the blob of the readable text; null: read it from a copy
  text_charset text not null,
  defects text not null,               -- names, blank between
  parser_version integer not null,
  archived_at integer,
  archived_by integer references users
) strict;
create index messages_by_thread on messages (thread_id);
create index messages_archived on messages (sort_at desc, id desc) where archived_at is not null;

create table thread_references (
  key integer primary key,             -- first 63 bits of SHA-256 over an internet message id
  thread_id integer not null
) strict;
create index thread_references_by_thread on thread_references (thread_id);

create table copies (
  id integer primary key,
  public_id text not null unique,
  message_id integer not null references messages,
  digest blob not null unique,         -- SHA-256 of the exact bytes, which mail.db rebuilds
  size_bytes integer not null,
  stored_at integer not null
) strict;
create index copies_by_message on copies (message_id);

create table parts (
  message_id integer not null references messages,
  position integer not null,
  content_type text not null,
  charset text not null,
  filename text not null,
  content_id text not null,
  size_bytes integer not null,
  is_attachment integer not null,
  digest blob,                         -- the blob of its decoded bytes; null: read it from a copy
  primary key (message_id, position)
) strict, without rowid;

create table locations (
  folder_id integer not null references folders,
  uidvalidity integer not null,
  uid integer not null,
  copy_id integer not null references copies,
  received_at integer not null,
  first_seen_at integer not null,
  gone_since integer,
  flags text not null,                 -- blank between
  was_known integer not null,          -- the bytes were in the store already
  primary key (folder_id, uidvalidity, uid)
) strict, without rowid;
create index locations_by_copy on locations (copy_id);

-- One row for each message a mailbox holds or ever held: what the queue and the one rule of
-- visibility read. Derived from locations, in the same transaction.
create table holdings (
  account_id integer not null references accounts,
  message_id integer not null references messages,
  sort_at integer not null,
  downloaded_at integer not null,
  received_at integer not null,
  is_unread integer not null,
  is_live integer not null,            -- a location in an imported folder is still there
  set_aside_at integer,
  set_aside_by integer references users,
  primary key (message_id, account_id)
) strict, without rowid;
create index holdings_by_date on holdings (account_id, sort_at desc, message_id desc);
create index holdings_unread on holdings (account_id) where is_unread = 1;
create index holdings_by_receipt on holdings (account_id, received_at);

create table failures (
  folder_id integer not null references folders,
  uidvalidity integer not null,
  uid integer not null,
  reason text not null,
  tries integer not null,
  tried_at integer not null,
  primary key (folder_id, uidvalidity, uid)
) strict, without rowid;

-- records and filings
create table record_types (
  id integer primary key,
  key text not null unique,
  singular text not null,
  plural text not null
) strict;
insert into record_types (key, singular, plural) values
  ('companies', 'Company', 'Companies'),
  ('contacts', 'Contact', 'Contacts'),
  ('warehouse', 'Warehouse', 'Warehouse'),
  ('projects', 'Project', 'Projects');

create table records (
  id integer primary key,
  public_id text not null unique,
  type_id integer not null references record_types,
  name text not null,
  folded_name text not null,
  code text not null,
  external_id text unique,
  notes text not null,
  created_at integer not null,
  archived_at integer,
  unique (type_id, folded_name)
) strict;

create table record_marks (             -- what else it is known by
  record_id integer not null references records,
  kind text not null check (kind in ('alias', 'address', 'domain')),
  value text not null,
  primary key (record_id, kind, value)
) strict, without rowid;

create table record_roles (
  record_id integer not null references records,
  role_id integer not null references roles,
  primary key (record_id, role_id)
) strict, without rowid;

create table record_users (
  record_id integer not null references records,
  user_id integer not null references users,
  primary key (record_id, user_id)
) strict, without rowid;

create table filings (
  message_id integer not null references messages,
  record_id integer not null references records,
  filed_by integer not null references users,
  filed_at integer not null,
  primary key (message_id, record_id)
) strict, without rowid;
create index filings_by_record on filings (record_id, message_id);

create table message_roles (
  message_id integer not null references messages,
  role_id integer not null references roles,
  primary key (message_id, role_id)
) strict, without rowid;

-- work and proof
create table index_queue (
  id integer primary key autoincrement,
  kind text not null check (kind in ('message', 'record')),
  subject_id integer not null
) strict;

create table jobs (
  id integer primary key,
  public_id text not null unique,
  kind text not null,
  account_id integer references accounts,
  arguments text not null default '{}',
  requested_by integer references users,
  requested_at integer not null,
  started_at integer,
  finished_at integer,
  result text,
  error text
) strict;
create index jobs_open on jobs (id) where finished_at is null;

create table worker (
  id integer primary key check (id = 1),
  beat_at integer not null
) strict;

create table audit (
  id integer primary key,
  at integer not null,
  user_id integer references users,     -- null: the operator at the command line
  verb text not null,
  message_id integer references messages,
  record_id integer references records,
  account_id integer references accounts,
  detail text not null default '{}'
) strict;
