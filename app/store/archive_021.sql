-- Tokens with which other systems use the API as a person; of the token only its digest is kept.
create table api_tokens (
  id integer primary key,
  public_id text not null unique,
  user_id integer not null references users (id),
  name text not null,
  token_digest blob not null unique,
  prefix text not null,
  scopes text not null,
  created_at integer not null,
  expires_at integer not null,
  last_used_at integer,
  revoked_at integer
) strict;
create index api_tokens_by_user on api_tokens (user_id);
