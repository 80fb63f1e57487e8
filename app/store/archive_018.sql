-- Checks that found nothing and failed at nothing, which go after a month: one a minute was kept.
create index account_checks_quiet on account_checks (account_id, id)
  where error is null and new = 0;
