-- accepts: 1

-- What stands in a result is said by its fields now.
comment on column processing_jobs.result       is 'What blockmill says of the block when it completes the job. transactions: its rows in transactions. logs: its rows in logs. withdrawals: its rows in withdrawals. token_transfers: its rows in token_transfers. fetch_ms: milliseconds to fetch it, retries included. verify_ms: milliseconds to prove it. encode_ms: milliseconds to turn it into rows. endpoint: the endpoint that served it. direct: whether it went the direct way, from the bytes of the answers to rows in one go.';

-- Which columns a block's digest covers. Rows that are there, and those that programs of version 1 go on to write,
-- have the digest of version 1.
alter table blocks add column digest_version smallint not null default 1;
comment on column blocks.digest                   is 'SHA-256 over the columns of this row and of all the block''s rows in the other tables that digest_version covers, in PostgreSQL''s binary COPY format: blockmill verify finds any byte that changed since, also where no root of the chain covers it. 32 bytes.';
comment on column blocks.digest_version           is 'Which columns the digest covers: those that existed when this version of it began. Columns that came later are null in this block''s rows. From version 2 on the digest covers the version too.';

create table chain_tables (
  name      text        primary key check (name ~ '^[a-z][a-z0-9_]{0,39}$'),
  added_at  timestamptz not null default now()
);

comment on table chain_tables is
  'Tables of this schema that hold rows of blocks, beside the five below: what follows from a block''s rows. Each has a column block_number. They are written, removed, granted, partitioned and backed up with their block; blocks.digest does not cover them.';
comment on column chain_tables.name     is 'The table: at most 40 lower-case letters, digits and underscores, so that its partitions find names. One that was dropped is passed over.';
comment on column chain_tables.added_at is 'When it was added.';

create or replace function chain_partition(layout regclass, first_block bigint) returns boolean
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  place   text;
  size    bigint;
  derived text[];
  parent  text;
  part    text;
  reader  text;
  made    boolean := false;
begin
  select quote_ident(nspname) into place
  from pg_class join pg_namespace on pg_namespace.oid = relnamespace where pg_class.oid = layout;
  execute format('select partition_blocks from %s.chain_layout', place) into size;
  if size = 0 then
    raise exception 'the tables of the schema % are not partitioned', place using errcode = '55000';
  end if;
  if first_block is null or first_block < 0 or first_block % size <> 0 then
    raise exception 'no partition begins with block %', first_block using errcode = '22023';
  end if;
  -- Two at once: the second finds what the first has made.
  perform pg_advisory_xact_lock(hashtextextended('blockmill partitions ' || place, 0));
  execute format('select array_agg(name) from %s.chain_tables', place) into derived;
  foreach parent in array array['blocks', 'transactions', 'logs', 'withdrawals', 'token_transfers'] || derived loop
    continue when to_regclass(format('%s.%I', place, parent)) is null;
    part := format('%s.%I', place, parent || '_' || first_block);
    continue when exists (
      select from pg_inherits
      where inhrelid = to_regclass(part) and inhparent = to_regclass(format('%s.%I', place, parent))
    );
    -- Where something else has the name, this fails and says so.
    execute format('create table %s (like %s.%I including all excluding indexes excluding comments)', part, place, parent);
    for reader in
      select distinct case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end
      from pg_class, aclexplode(relacl)
      where pg_class.oid = to_regclass(format('%s.%I', place, parent)) and privilege_type = 'SELECT' and grantee <> relowner
    loop
      -- Rows are read through the parent, whose grants decide. A backup names each partition.
      execute format('grant select on %s to %s', part, reader);
    end loop;
    execute format('alter table %s.%I attach partition %s for values from (%s) to (%s)',
      place, parent, part, first_block, first_block + size);
    made := true;
  end loop;
  return made;
end
$$;

comment on function chain_partition(regclass, bigint) is
  'Makes the partitions of blocks, transactions, logs, withdrawals, token_transfers and the tables of chain_tables that begin with first_block, beside the table chain_layout that is given. Returns whether any was missing.';

-- A death counts for the block that was computed, and a host's first loss for none.
comment on column processing_jobs.attempts     is 'How many claims were made that count. A claim that was given back unharmed (drain, database or endpoints down), whose block was not there yet, or that was lost with its host, or with a worker that computed another block, does not count.';
comment on column processing_jobs.deaths       is 'How many workers died while they computed this block, and how often it was lost with its host again. A job that saw a death is claimed alone, so that a block that kills its worker takes no other with it.';
comment on column processing_failures.class        is 'What it means: retry (counts an attempt, runs again later), unlinked (so does this: a stored neighbour is of another branch, and the orchestrator looks which of the two is wrong), fatal (the job will not be tried again by itself), died (the worker ended while it computed the block, or the host was lost that held it and another was within the hour before), lost (its host was lost; no attempt counts).';

-- The roles of children are a table of the program (src/child/roles.ts). This one is for people, and a daemon of a
-- newer version registers here beside those of this one: so it says what a role looks like, not which there are.
alter table processing_workers drop constraint processing_workers_role_check;
alter table processing_workers add constraint processing_workers_role_check
  check (role ~ '^[a-z][a-z-]{0,39}$') not valid;
alter table processing_workers validate constraint processing_workers_role_check;
comment on column processing_workers.role          is 'supervisor, or the kind of child: orchestrator, worker. Newer versions may have other kinds.';

-- How often in a row a block could not be had yet, which costs its job no attempt.
alter table processing_jobs add column absences int not null default 0;
comment on column processing_jobs.absences is 'How often in a row its block could not be had yet: it costs no attempt, and each wait is longer than the last. The head''s arrival at its height ends it.';
comment on column processing_jobs.status is 'pending: may be claimed. scheduled: waits for run_at, or for its block to be there (absences). processing: claimed by worker_id. completed: its rows are committed. failed: attempts used up, see last_error; stays for a person (blockmill retry). cancelled: by a person (blockmill cancel).';
comment on column processing_jobs.run_at is 'Not before. A row inserted with a run_at in the future becomes scheduled; so does a retry that backs off, and a block that is not there yet.';
