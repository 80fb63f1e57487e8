-- Mailboxes that are signed in to at their provider ("oAuth login"): no password beside tokens.
alter table accounts add column sealed_tokens blob  -- AEAD, bound to the account's public id
  check (sealed_tokens is null or (auth_type = 'oauth' and sealed_password is null));

-- Sign-ins that somebody began and that have not come back yet: for ten minutes, and once.
create table sign_in_flows (
  state_digest blob primary key,
  session_digest blob not null,          -- whose browser it was begun in
  user_id integer not null references users,
  account_id integer not null references accounts,
  sealed blob not null,                  -- the flow with its PKCE verifier
  expires_at integer not null
) strict, without rowid;
