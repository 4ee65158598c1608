-- accepts: 1

-- Everything that changes here, in the order in which commits lock it: jobs before blocks. In another order the two could
-- wait for each other.
lock table processing_jobs, processing_ranges, processing_workers, blocks in access exclusive mode;

-- What stands in a result is said by its fields now.
comment on column processing_jobs.result       is 'What blockmill says of the block when it completes the job. transactions: its rows in transactions. logs: its rows in logs. withdrawals: its rows in withdrawals. token_transfers: its rows in token_transfers. fetch_ms: milliseconds to fetch it, retries included. verify_ms: milliseconds to prove it. encode_ms: milliseconds to turn it into rows. endpoint: the endpoint that served it. direct: whether it went the direct way, from the bytes of the answers to rows in one go. absent: the chain has no block at this number, as its neighbours prove; only then it is there.';

-- Which columns a block's digest covers. Rows that are there, and those that programs of version 1 go on to write,
-- have the digest of version 1.
alter table blocks add column digest_version smallint not null default 1;
comment on column blocks.digest                   is 'SHA-256 over the columns of this row and of all the block''s rows in the other tables that digest_version covers, in PostgreSQL''s binary COPY format: blockmill verify finds any byte that changed since, also where no root of the chain covers it. 32 bytes.';
comment on column blocks.digest_version           is 'Which columns the digest covers: those that existed when this version of it began. Columns that came later are null in this block''s rows. From version 2 on the digest covers the version too.';

-- Numbers at which a chain has no block.
alter table processing_coverage add column absent int8multirange not null default '{}';
comment on column processing_coverage.absent is 'Those of them at which the chain has no block (a null round of Filecoin), which its neighbours'' links prove: they have no row, and are no gap.';

-- What is proven of a block, and of which the chain's rules leave some out.
comment on column blocks.verified                 is 'What was proven before it was stored, of what the block has: hash, transactionsRoot, receiptsRoot, withdrawalsRoot, logsBloom, ... What the chain''s rules leave out is listed where it held. Empty: nothing.';

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
  -- No advisory lock, which anybody may hold: this one takes the right to write the table.
  execute format('lock table %s.chain_layout in share row exclusive mode', place);
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
comment on column processing_failures.class        is 'What it means: retry (counts an attempt, runs again later), unlinked (so does this: a stored neighbour is of another branch, and the orchestrator looks which of the two is wrong), unproven (so does this: what the endpoint sent contradicts itself), fatal (the job will not be tried again by itself), died (the worker ended while it computed the block, or the host was lost that held it and another was within the hour before), lost (its host was lost; no attempt counts).';

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

-- Blocks and numbers of rows that JavaScript has exactly. One row beyond them stopped everybody who read it with others.
-- A job or range of such a block can never be done: it goes, and an alert that is over says so.
lock table processing_jobs, processing_ranges in share row exclusive mode;
with jobs as (
  delete from processing_jobs where block_number > 9007199254740990 returning block_number
),
ranges as (
  delete from processing_ranges where from_block > 9007199254740990 returning id
),
gone as (
  select (select count(*) from jobs) as jobs, (select count(*) from ranges) as ranges
)
insert into alerts (kind, message, cleared_at)
select 'impossible_blocks', format('The upgrade to schema 2 removed %s jobs and %s ranges of blocks above 2^53 - 2, which no chain has.', jobs, ranges), now()
from gone where jobs + ranges > 0;
update processing_ranges
set to_block = 9007199254740990, next_block = least(next_block, 9007199254740991)
where to_block > 9007199254740990;
update processing_jobs set id = default where id not between 0 and 9007199254740990;
update processing_ranges set id = default where id not between 0 and 9007199254740990;
alter table processing_jobs add constraint processing_jobs_bounds
  check (block_number <= 9007199254740990 and id between 0 and 9007199254740990) not valid;
alter table processing_jobs validate constraint processing_jobs_bounds;
alter table processing_ranges add constraint processing_ranges_bounds
  check (to_block <= 9007199254740990 and id between 0 and 9007199254740990) not valid;
alter table processing_ranges validate constraint processing_ranges_bounds;
comment on column processing_jobs.block_number is 'The block to fetch: 0 to 2^53 - 2. Unique: a block has one job.';
comment on column processing_ranges.to_block     is 'The last block, inclusive: at most 2^53 - 2.';

-- What a reorg suspended, beside what a person parked: both have run_at = infinity, and programs of version 1 know
-- the first only. The trigger keeps the column true whichever version writes. This one is contracted with version 1.
alter table processing_jobs add column suspended boolean not null default false;
update processing_jobs set suspended = true
where status = 'scheduled' and run_at = 'infinity' and block_hash is null;
comment on column processing_jobs.run_at is 'Not before. A row inserted with a run_at in the future becomes scheduled; so does a retry that backs off, and a block that is not there yet. infinity parks the job: it waits until a person gives it another time.';
comment on column processing_jobs.suspended    is 'Set by blockmill, while run_at is infinity: a reorg dropped its block, and it runs when the new branch reaches this height. A job with run_at = infinity that is not suspended is parked: it waits for a person.';

create or replace function processing_jobs_mark() returns trigger language plpgsql as $$
declare
  program  text := pg_catalog.current_setting('application_name');
  change   text;
begin
  -- Its own update.
  if pg_catalog.pg_trigger_depth() operator(pg_catalog.>) 1 then
    return null;
  end if;
  if new.suspended and new.run_at operator(pg_catalog.<) 'infinity' then
    change := 'suspended = false';
  elsif program !~ '^blockmill ' then
    return null;
  elsif not new.suspended and new.run_at operator(pg_catalog.=) 'infinity'
    and not (tg_op = 'UPDATE' and old.run_at operator(pg_catalog.=) 'infinity') then
    change := 'suspended = true';
  elsif tg_op = 'UPDATE' and not old.suspended and program ~ '/o[0-9]' then
    change := 'run_at = ''infinity'', status = ''scheduled''';
  end if;
  if change is not null then
    execute pg_catalog.format(
      'update %I.processing_jobs set %s where block_number operator(pg_catalog.=) $1', tg_table_schema, change
    ) using new.block_number;
  end if;
  return null;
end
$$;

comment on function processing_jobs_mark() is
  'Keeps suspended true to run_at = infinity, whichever version writes: what a program of version 1 suspends is marked, what it would wake though a person parked it stays parked, and who gives a suspended job a time ends its suspension.';

create or replace trigger processing_jobs_mark_inserted after insert on processing_jobs
  for each row when (new.run_at = 'infinity' and new.status = 'scheduled' and not new.suspended)
  execute function processing_jobs_mark();

create or replace trigger processing_jobs_mark after update of run_at on processing_jobs
  for each row when (
    new.status in ('pending', 'scheduled')
    and (new.run_at = 'infinity' and not new.suspended or old.run_at = 'infinity' and new.run_at < 'infinity')
  )
  execute function processing_jobs_mark();

-- A false head brings a range that no chain has.
alter table processing_ranges add column by_head boolean not null default false;
comment on column processing_ranges.by_head is 'Made by blockmill for the blocks between two heads: cut when the later one proves false.';
comment on column alerts.kind       is 'The rule that raised it: docs/TROUBLESHOOTING.md has a heading for each. blockmill config --explain says how to change or silence one (alerts.rules). impossible_blocks: an upgrade removed jobs of blocks that no chain has.';

-- Alerts are told to people: how urgent each is, and who was told of it. Programs of version 1 raise and clear them
-- as before.
alter table alerts add column priority text not null default 'err' check (priority in ('err', 'warning'));
alter table alerts add column told jsonb not null default '{}';
alter table alerts add column settled boolean not null default false;
update alerts set settled = true where cleared_at is not null;
create index alerts_unsettled on alerts (id) where not settled;
comment on table alerts is 'What a person should look at. At most one of a kind is open. Whoever raises or clears one sends NOTIFY blockmill_alerts_SCHEMA with the row''s id. Bounded: the newest 1,000 that are over are kept.';
comment on column alerts.priority   is 'err: something does not work. warning: it will not for long, or somebody has to see to it.';
comment on column alerts.told       is 'Who was told, by sink: {"webhook": {"event": "raised", "attempts": 0}}. event: the last one that was taken, raised or resolved; attempts and due_at: of the one that was not.';
comment on column alerts.settled    is 'It is over, and there is nobody left who is to be told of it.';

create table processing_upkeep (
  what     text primary key check (what in ('backup', 'verification')),
  done_at  timestamptz not null default now()
);

comment on table processing_upkeep is 'When a person or a timer last looked after the data. Written by blockmill backup and blockmill verify, once they succeeded.';
comment on column processing_upkeep.what    is 'backup; or verification, of stored blocks.';
comment on column processing_upkeep.done_at is 'When it was last done.';

create table processing_disk (
  sampled_at  timestamptz primary key default now(),
  blocks      bigint not null,
  bytes       jsonb  not null
);

comment on table processing_disk is 'What the tables took, once an hour, for the last 40 days: blockmill disk and the forecast of a full disk are made of it. Written by the leading orchestrator.';
comment on column processing_disk.sampled_at is 'When it was measured.';
comment on column processing_disk.blocks     is 'How many blocks were stored.';
comment on column processing_disk.bytes      is 'By table, in bytes, indexes included.';

-- What a chain's nodes do not tell is null, where nothing proves it. Programs of version 1 write a value always.
alter table blocks
  alter column miner drop not null,
  alter column gas_limit drop not null,
  alter column gas_used drop not null,
  alter column extra_data drop not null,
  alter column logs_bloom drop not null,
  alter column state_root drop not null,
  alter column transactions_root drop not null,
  alter column receipts_root drop not null,
  alter column sha3_uncles drop not null;
alter table transactions
  alter column nonce drop not null,
  alter column value drop not null,
  alter column gas drop not null,
  alter column input drop not null,
  alter column gas_used drop not null,
  alter column cumulative_gas_used drop not null;
comment on column blocks.total_difficulty         is 'Summed up to this block; newer nodes no longer tell. Unproven: no hash covers it.';
comment on column blocks.size                     is 'Bytes of the block''s RLP. Unproven: of a block with uncles, their headers are a part of it.';
comment on column blocks.uncles                   is 'The uncles'' hashes. Unproven: their headers are not fetched.';
comment on column transactions.from_address             is 'The sender, as the node recovered it. 20 bytes. Unproven: compared with the receipt; chain.recover_senders proves it.';
comment on column transactions.blob_gas_price           is 'Receipt: wei per blob gas that were paid (EIP-4844). Unproven: where the chain''s blob schedule is not known, as from its newest known fork on.';
comment on column blocks.extra                    is 'Header fields that this table has no column for, or whose value their column cannot hold (then it is null), as the node sent them (other chains, newer forks). Unproven: no hash covers it.';
comment on column transactions.extra                    is 'Fields of the transaction and {"receipt": {...}} that this table has no column for, or whose value their column cannot hold (then it is null), as the node sent them. Unproven: no hash covers it.';
comment on column transactions.v                        is 'Signature v, as the node sends it; of types 1 to 4, where their hash is proven, the parity.';
comment on column transactions.contract_address         is 'Receipt: the contract that it created, or would have created had it not failed.';
comment on column blocks.miner                    is 'The fee recipient (before the merge: who mined it). 20 bytes. Null where nothing proves the block and its node does not tell: so with every column that may be null here and that a proof demands.';
comment on column transactions.y_parity                 is 'Parity of the signature''s y, 0 or 1 (types 1 to 4; some nodes say it of type 0 as well).';

-- Deaths of which nobody knows the cause.
alter table processing_jobs add column losses int not null default 0;
comment on column processing_jobs.losses is 'In how many deaths of workers it was in hand of which nobody knows the cause: they were killed from outside while they computed nothing. They cost no attempt; after three in a row the job is claimed alone, and after 16, or five times pipeline.max_attempts, it is failed. A claim whose worker lives begins the count anew.';
