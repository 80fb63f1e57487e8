-- Which server and login the folders of a mailbox were read from, so that the messages of another
-- one are not taken for those that had the same numbers; null: never, or before this was kept.
alter table accounts add column read_from text;
