-- Mailboxes that were read before this was kept: what is theirs was read as they are set now.
update accounts set read_from =
    coalesce(nullif(login, ''), address) || ' at ' || lower(coalesce(host, ''))
  where read_from is null
  and exists (select 1 from folders f where f.account_id = accounts.id
    and f.checked_at is not null);
