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

-- The feed. It is off: whoever changes rows reads the column with the lock that it takes.
alter table processing_coverage add column feed boolean not null default false;
comment on column processing_coverage.feed   is 'Whether the feed is on: who changes stored rows tells its readers (chain_feed).';

create table chain_feed (
  one             boolean        primary key default true check (one),
  from_block      bigint         check (from_block >= 0),
  told            int8multirange not null default '{}',
  passed          int8multirange not null default '{}',
  last_id         bigint         not null default 0,
  pruned_through  bigint         not null default 0,
  began_at        timestamptz    not null default now()
);

comment on table chain_feed is
  'How far the feed is. No row: it is off. Written under the lock of processing_coverage only. SELECT stop_feed() ends it, with its steps and readers.';
comment on column chain_feed.one            is 'Always true: there is one row.';
comment on column chain_feed.from_block     is 'The first block that is told; null: not known before a block is stored.';
comment on column chain_feed.told           is 'The blocks that were applied and not reverted since. Their rows are those of the tables.';
comment on column chain_feed.passed         is 'Heights that were passed, since the chain has no block there.';
comment on column chain_feed.last_id        is 'The id of the newest step.';
comment on column chain_feed.pruned_through is 'The steps up to this one are gone: every reader has passed them, or was too slow (feed.max_lag_blocks).';
comment on column chain_feed.began_at       is 'When it was switched on.';

create table chain_changes (
  id           bigint      primary key,
  kind         text        not null check (kind in ('apply', 'revert', 'derive')),
  number       bigint,
  hash         bytea       check (octet_length(hash) = 32),
  parent_hash  bytea       check (octet_length(parent_hash) = 32),
  decoder      text,
  from_block   bigint,
  to_block     bigint,
  at           timestamptz not null default clock_timestamp(),
  constraint chain_changes_shape check (
    case kind when 'derive' then number is null and decoder is not null and from_block <= to_block
    else number is not null and decoder is null and from_block is null and to_block is null end
  )
);

create index chain_changes_number on chain_changes (number, id) where number is not null;

comment on table chain_changes is
  'The steps of the chain, in its order. Ids have no gaps, and a higher one was committed later. Read them by read_changes. Each commit that adds some sends NOTIFY blockmill_changes_SCHEMA.';
comment on column chain_changes.id          is 'The step.';
comment on column chain_changes.kind        is 'apply: the block''s rows stand in the tables. revert: they do not any more; dropped_rows has them. derive: a decoder''s rows of a span were made, or made anew.';
comment on column chain_changes.number      is 'Of apply and revert: the block.';
comment on column chain_changes.hash        is 'Its hash. 32 bytes. Null of a revert whose block somebody had removed by hand.';
comment on column chain_changes.parent_hash is 'The hash of its parent. 32 bytes.';
comment on column chain_changes.decoder     is 'Of derive: whose rows they are.';
comment on column chain_changes.from_block  is 'Of derive: the first block of the span.';
comment on column chain_changes.to_block    is 'Of derive: the last block of the span, inclusive.';
comment on column chain_changes.at          is 'When it was told.';

create table chain_readers (
  name         text           primary key check (name ~ '^[A-Za-z0-9][A-Za-z0-9_.:-]{0,62}$'),
  role         name           not null default session_user,
  position     bigint         not null check (position >= 0),
  horizon      bigint         not null,
  unseen       int8multirange not null default '{}',
  pinned       boolean        not null default false,
  created_at   timestamptz    not null default now(),
  read_at      timestamptz,
  advanced_at  timestamptz,
  constraint chain_readers_order check (position <= horizon)
);

comment on table chain_readers is
  'Who follows the feed, and how far. Made by start_reader. A row that is deleted is a reader that nobody waits for.';
comment on column chain_readers.name        is 'The reader: up to 63 letters, digits, and _ . : - behind the first.';
comment on column chain_readers.role        is 'Who made it: this role and its members may read by it, and the schema''s owner.';
comment on column chain_readers.position    is 'The last step that it has taken.';
comment on column chain_readers.horizon     is 'The newest step when it last read. It may advance up to there.';
comment on column chain_readers.unseen      is 'Blocks that were applied before position and reverted behind it, before it read of either: neither is told to it.';
comment on column chain_readers.pinned      is 'Its steps are kept however far behind it is. Set by the schema''s owner: UPDATE chain_readers SET pinned = true WHERE name = ''mine''.';
comment on column chain_readers.created_at  is 'When it was made.';
comment on column chain_readers.read_at     is 'When it last read.';
comment on column chain_readers.advanced_at is 'When it last advanced.';

create table dropped_rows (
  change_id   bigint not null,
  number      bigint not null,
  hash        bytea,
  table_name  text   not null,
  row         jsonb  not null
);

create index dropped_rows_change on dropped_rows (change_id, table_name);

comment on table dropped_rows is
  'The rows of reverted blocks, for readers that have not passed the revert. Gone when the slowest one has. Read them by the views dropped_blocks, ..., or by dropped(null::TABLE, ID).';
comment on column dropped_rows.change_id  is 'The revert, in chain_changes.';
comment on column dropped_rows.number     is 'The block.';
comment on column dropped_rows.hash       is 'Its hash. 32 bytes.';
comment on column dropped_rows.table_name is 'The table in which the row stood.';
comment on column dropped_rows.row        is 'The row, as to_jsonb writes it.';

create view dropped_blocks as
select dropped.change_id, dropped.hash as dropped_hash, old.*
from dropped_rows as dropped, jsonb_populate_record(null::blocks, dropped.row) as old
where dropped.table_name = 'blocks';

create view dropped_transactions as
select dropped.change_id, dropped.hash as dropped_hash, old.*
from dropped_rows as dropped, jsonb_populate_record(null::transactions, dropped.row) as old
where dropped.table_name = 'transactions';

create view dropped_logs as
select dropped.change_id, dropped.hash as dropped_hash, old.*
from dropped_rows as dropped, jsonb_populate_record(null::logs, dropped.row) as old
where dropped.table_name = 'logs';

create view dropped_withdrawals as
select dropped.change_id, dropped.hash as dropped_hash, old.*
from dropped_rows as dropped, jsonb_populate_record(null::withdrawals, dropped.row) as old
where dropped.table_name = 'withdrawals';

create view dropped_token_transfers as
select dropped.change_id, dropped.hash as dropped_hash, old.*
from dropped_rows as dropped, jsonb_populate_record(null::token_transfers, dropped.row) as old
where dropped.table_name = 'token_transfers';

comment on view dropped_blocks is 'Rows of blocks that were reverted (dropped_rows), by the revert''s id.';
comment on view dropped_transactions is 'Rows of transactions whose block was reverted (dropped_rows), by the revert''s id.';
comment on view dropped_logs is 'Rows of logs whose block was reverted (dropped_rows), by the revert''s id.';
comment on view dropped_withdrawals is 'Rows of withdrawals whose block was reverted (dropped_rows), by the revert''s id.';
comment on view dropped_token_transfers is 'Rows of token_transfers whose block was reverted (dropped_rows), by the revert''s id.';

-- The functions run with their owner's rights. Their bodies are bound to these very tables when they are made, whatever the
-- schema is called and whoever's search_path they run with.
create function refuse_reader(message text, remedy text) returns boolean
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception '%', message using hint = remedy, errcode = '55000';
end
$$;

create function may_read_as(reader text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select exists (
    select from pg_roles
    where (rolname = (select role from chain_readers where name = reader)
        or oid = (select relowner from pg_class where oid = 'chain_readers'::regclass))
      and pg_has_role(session_user, oid, 'member')
  );
end;

create function check_reader(reader text) returns boolean
language sql set search_path = pg_catalog, pg_temp
begin atomic
  select case
    when not exists (select from chain_feed) then
      refuse_reader('the feed is off', 'Set feed.enabled in the daemon''s configuration.')
    when not exists (select from chain_readers where name = reader) then
      refuse_reader(format('there is no reader %L', reader), 'SELECT * FROM start_reader(NAME) makes one.')
    when not may_read_as(reader) then
      refuse_reader(format('the reader %L belongs to the role %L', reader, (select role from chain_readers where name = reader)),
        'Connect as that role, or read by a name of your own.')
    when (select position from chain_readers where name = reader) < (select pruned_through from chain_feed) then
      refuse_reader(format('the reader %L has taken the steps up to %s, and those up to %s are gone: it fell further behind than feed.max_lag_blocks',
          reader, (select position from chain_readers where name = reader), (select pruned_through from chain_feed)),
        format('Start again from here: SELECT * FROM start_reader(%L), then load the blocks that it names. UPDATE chain_readers SET pinned = true keeps a reader''s steps.', reader))
    else true end;
end;

create function start_reader(reader text, after bigint default null)
returns table (id bigint, told int8multirange)
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  select from processing_coverage for update;
  select case
    when not exists (select from chain_feed) then
      refuse_reader('the feed is off', 'Set feed.enabled in the daemon''s configuration.')
    when reader is null or reader !~ '^[A-Za-z0-9][A-Za-z0-9_.:-]{0,62}$' then
      refuse_reader(format('a reader cannot be called %L', reader), 'Expected up to 63 letters and digits, and _ . : - behind the first.')
    when exists (select from chain_readers where name = reader) and not may_read_as(reader) then
      refuse_reader(format('the reader %L belongs to another role', reader), 'Take another name.')
    -- A snapshot of before the lock could miss what the door did meanwhile, and what it kept for nobody.
    when current_setting('transaction_isolation') <> 'read committed' and not exists (select from chain_readers where name = reader) then
      refuse_reader(format('start_reader: this transaction''s snapshot is older than the reader %L', reader),
        'Make it first, in a READ COMMITTED transaction of its own.')
    when after not between (select pruned_through from chain_feed) and (select last_id from chain_feed) then
      refuse_reader(format('no reader can start after step %s: there are steps from %s to %s', after,
        (select pruned_through + 1 from chain_feed), (select last_id from chain_feed)),
        'Without a step it starts from here, and names the blocks to load.')
    end;
  insert into chain_readers (name, role, position, horizon)
  select reader, session_user, coalesce(after, last_id), coalesce(after, last_id) from chain_feed
  on conflict (name) do update
    set position = excluded.position, horizon = excluded.horizon, unseen = '{}', advanced_at = clock_timestamp();
  select coalesce(after, last_id), case when after is null then chain_feed.told end from chain_feed;
end;

create function visible_changes(reader text, most int) returns setof chain_changes
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select step.* from chain_changes as step
  where step.id > (select position from chain_readers where name = reader)
    and step.id <= (select horizon from chain_readers where name = reader)
    and case step.kind
      -- It has what was applied before its position. What is reverted first behind it, it has, unless it never saw it.
      when 'revert' then not (select unseen from chain_readers where name = reader) @> step.number
        and not exists (
          select from chain_changes as earlier
          where earlier.number = step.number and earlier.id < step.id
            and earlier.id > (select position from chain_readers where name = reader)
        )
      -- The rows of the last one stand in the tables.
      when 'apply' then not exists (
        select from chain_changes as later
        where later.number = step.number and later.id > step.id
          and later.id <= (select horizon from chain_readers where name = reader)
      )
      else true end
  order by step.id limit most;
end;

create function read_changes(reader text, most int default 100) returns setof chain_changes
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  select from chain_readers where name = reader for update;
  select case when check_reader(reader) then
    case
      when current_setting('transaction_isolation') not in ('repeatable read', 'serializable') then
        refuse_reader('read_changes: this transaction sees each statement''s own snapshot, so steps and rows could differ',
          'BEGIN ISOLATION LEVEL REPEATABLE READ; or SET default_transaction_isolation = ''repeatable read''.')
      when most is null or most < 1 then
        refuse_reader(format('read_changes: at most %s steps were asked for', coalesce(most::text, 'null')), 'Expected 1 or more.')
    end
  end;
  update chain_readers set horizon = (select last_id from chain_feed), read_at = clock_timestamp() where name = reader;
  update chain_readers set position = horizon, unseen = '{}'
  where name = reader and position < horizon and not exists (select from visible_changes(reader, 1));
  select * from visible_changes(reader, most);
end;

create function advance_reader(reader text, through bigint) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  select from chain_readers where name = reader for update;
  select case when check_reader(reader) and not coalesce(
      through between (select position from chain_readers where name = reader) and (select horizon from chain_readers where name = reader), false
    ) then
      refuse_reader(format('the reader %L cannot advance to step %s: it has read from step %s to %s', reader, coalesce(through::text, 'null'),
        (select position from chain_readers where name = reader), (select horizon from chain_readers where name = reader)),
        'Give the id of a step that read_changes returned last.')
    end;
  update chain_readers as mine
  set position = through, advanced_at = clock_timestamp(),
      unseen = mine.unseen - coalesce((
        select range_agg(int8range(number, number + 1)) from chain_changes
        where id > mine.position and id <= through and number is not null
      ), '{}') + coalesce((
        select range_agg(int8range(number, number + 1)) from chain_changes as step
        where id > mine.position and id <= through and kind = 'apply'
          and through < (
            select max(later.id) from chain_changes as later
            where later.number = step.number and later.id > step.id and later.id <= mine.horizon
          )
          and not exists (
            select from chain_changes as next
            where next.number = step.number and next.id > step.id and next.id <= through
          )
      ), '{}')
  where name = reader;
end;

create function dropped(of_table anyelement, change bigint) returns setof anyelement
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  place   text;
  source  text;
begin
  select quote_ident(nspname), relname into place, source
  from pg_class join pg_namespace on pg_namespace.oid = relnamespace where reltype = pg_typeof(of_table)::oid;
  if place is null then
    raise exception 'dropped: % is not a table''s row', pg_typeof(of_table)
      using hint = 'Name the table by its type: dropped(null::logs, 17).', errcode = '22023';
  end if;
  return query execute format(
    'select old.* from %s.dropped_rows as kept, jsonb_populate_record($1, kept.row) as old where kept.change_id = $2 and kept.table_name = $3',
    place
  ) using of_table, change, source;
end
$$;

create function stop_feed() returns void
language sql set search_path = pg_catalog, pg_temp
begin atomic
  select from processing_coverage for update;
  update processing_coverage set feed = false where feed;
  delete from chain_feed;
  delete from chain_readers;
  delete from chain_changes;
  delete from dropped_rows;
end;

revoke execute on function refuse_reader(text, text), may_read_as(text), check_reader(text), visible_changes(text, int),
  start_reader(text, bigint), read_changes(text, int), advance_reader(text, bigint), stop_feed() from public;

comment on function refuse_reader(text, text) is 'Fails with this message and hint.';
comment on function may_read_as(text) is 'Whether the session''s role may read by this reader.';
comment on function check_reader(text) is 'Fails unless the feed is on, the reader is there and the session''s own, and its steps are kept.';
comment on function start_reader(text, bigint) is
  'Makes a reader, or starts it again. It has taken every step so far, and told names the blocks whose rows it has to load; with `after` it has taken the steps up to that one. Waits for changes of stored rows, and holds them up until the transaction ends.';
comment on function visible_changes(text, int) is 'The next steps for a reader, up to its horizon, without what was applied and reverted again before it read.';
comment on function read_changes(text, int) is
  'The next steps for this reader, whose row it locks. Needs REPEATABLE READ, so that the steps and the rows are of one moment.';
comment on function advance_reader(text, bigint) is 'The reader has taken the steps up to this one. It commits with what the reader made of them.';
comment on function dropped(anyelement, bigint) is
  'The rows of one table that a revert took away: SELECT * FROM dropped(null::logs, 17). For every table with rows of blocks.';
comment on function stop_feed() is 'Ends the feed: its steps, its readers and what was kept for them are gone. For the schema''s owner, while feed.enabled is off.';

-- The charts of the page.
create table processing_samples (
  step            int         not null check (step in (10, 60, 900)),
  at              timestamptz not null,
  blocks          int         not null,
  endpoints       jsonb       not null,
  head_blocks     int         not null,
  head_p50        real,
  head_p99        real,
  waiting         int         not null,
  waiting_seconds real        not null,
  stages          jsonb       not null,
  primary key (step, at)
);

comment on table processing_samples is 'How work went, for the charts of the page: every 10 s for 20 minutes, every minute for 7 hours, every 15 minutes for 8 days; about 1,300 rows. Written by the leading orchestrator.';
comment on column processing_samples.step            is 'Seconds that the row stands for.';
comment on column processing_samples.at              is 'When they began.';
comment on column processing_samples.blocks          is 'Blocks that were committed.';
comment on column processing_samples.endpoints       is 'The same by the endpoint that served them: {"node:8545": 120}.';
comment on column processing_samples.head_blocks     is 'Those of them that were asked for by their hash: the head''s.';
comment on column processing_samples.head_p50        is 'Seconds from when such a block became a job to its commit: half were as quick. Null: there was none.';
comment on column processing_samples.head_p99        is 'The same of 99 in 100. In a longer step: the highest of the shorter ones.';
comment on column processing_samples.waiting         is 'Jobs that waited at its end, counted up to 20,000. In a longer step: the most.';
comment on column processing_samples.waiting_seconds is 'For how long the oldest of the next ones had waited.';
comment on column processing_samples.stages          is 'Seconds of all blocks together, by stage: queue (due to claimed), fetch, verify, encode, and commit (the rest until it was committed, with the wait for others of its batch).';

create table processing_marks (
  id    bigint generated always as identity primary key,
  at    timestamptz not null default now(),
  kind  text        not null check (kind in ('death', 'reload')),
  says  text        not null
);

comment on table processing_marks is 'What happened to daemons, for the charts of the page: the newest 500. Written by each supervisor. Reorgs and alerts have tables of their own.';
comment on column processing_marks.id   is 'In the order in which they were written.';
comment on column processing_marks.at   is 'When it happened.';
comment on column processing_marks.kind is 'death: a process ended that nobody had asked to. reload: a daemon took a new configuration.';
comment on column processing_marks.says is 'What happened, in words.';

-- Who paused the work, for those who ask why nothing is claimed. Beside processing_control, which every claim and commit
-- reads and locks.
create table processing_pause (
  one        boolean     primary key default true check (one),
  paused_at  timestamptz not null,
  role       text        not null,
  host       text        not null
);

comment on table processing_pause is 'Who paused the work the last time by blockmill: it is the pause of processing_control where paused_at is the same.';
comment on column processing_pause.one       is 'Always true: there is at most one row.';
comment on column processing_pause.paused_at is 'When, as in processing_control.';
comment on column processing_pause.role      is 'The role that did it.';
comment on column processing_pause.host      is 'The host on which it was done.';

-- What is decoded: a table for each event that the configuration names (its key decode).

create table decoders (
  id                 int generated always as identity primary key,
  table_name         text           not null unique check (table_name ~ '^[a-z][a-z0-9_]{0,39}$'),
  definition         jsonb          not null,
  configured         text           not null,
  coverage           int8multirange not null default '{}',
  applied_at         timestamptz    not null default now(),
  blocks_per_second  real,
  trouble            text,
  trouble_at         timestamptz
);

create table decoded_blocks (
  id        bigint generated always as identity primary key,
  decoders  int[]          not null,
  blocks    int8multirange not null,
  trouble   jsonb
);

comment on table decoders is
  'One row per event table: blockmill decode apply writes it, by the configuration''s key decode, and blockmill decode status shows it. An event table is a function of stored logs.';
comment on column decoders.id                is 'The version: what is applied anew, with another meaning, gets another one, and covers nothing at first.';
comment on column decoders.table_name        is 'The table, in this schema. NAME_hex shows it with 0x text.';
comment on column decoders.definition        is 'Which logs, and what their rows say.';
comment on column decoders.configured        is 'SHA-256 of the part of the configuration that it was made of: a daemon tells by it that its own was not applied.';
comment on column decoders.coverage          is 'The blocks whose rows are there. What is stored and not in here is filled from logs. decoded_blocks has more of them.';
comment on column decoders.applied_at        is 'When it was applied.';
comment on column decoders.blocks_per_second is 'How fast blocks were filled the last time.';
comment on column decoders.trouble           is 'Why the last block was stored without its rows here; null: it has them.';
comment on column decoders.trouble_at        is 'Since when.';

comment on table decoded_blocks is
  'Each commit of blocks says here which decoders'' rows it has written. The leading orchestrator adds that up in decoders.coverage, and removes it here: a row that every commit updates would put them in a queue.';
comment on column decoded_blocks.id       is 'In the order of the commits, about.';
comment on column decoded_blocks.decoders is 'Ids of decoders whose rows of these blocks are there.';
comment on column decoded_blocks.blocks   is 'The blocks.';
comment on column decoded_blocks.trouble  is 'Why other decoders have none, by their id.';
