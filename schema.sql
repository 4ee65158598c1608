-- blockmill: the whole current schema, to be read from top to bottom.
--
-- `psql -f schema.sql` loads it into the first schema of the search_path; `blockmill init` applies
-- this same file to the schema that the configuration names. Loading it twice changes nothing.
--
-- Two halves that do not know each other:
--   processing_*   the queue: one row per block that is to be fetched, and what became of it
--   the rest       the chain's rows, written in the same transaction that completes their job
--
-- Hashes, addresses and data are bytea; read them as 0x text through the views at the end.
-- There are no foreign keys: every chain table's primary key begins with block_number, and a
-- block's rows are written and removed as one.

-- ---------------------------------------------------------------------------------------------
-- The schema's version
-- ---------------------------------------------------------------------------------------------

create table if not exists schema_version (
  version     int primary key,
  applied_at  timestamptz not null default now(),
  accepts     int
);

comment on table schema_version is
  'One row per schema version that was applied here. A program refuses a database that is newer than it, unless the newest row accepts it.';
comment on column schema_version.version    is 'The version; the newest row is the schema''s.';
comment on column schema_version.applied_at is 'When it was applied.';
comment on column schema_version.accepts    is 'The oldest version whose programs still work with it, while daemons are upgraded one after the other; null: none older.';

insert into schema_version (version, accepts) values (2, 1) on conflict do nothing;

-- ---------------------------------------------------------------------------------------------
-- The queue
-- ---------------------------------------------------------------------------------------------

create table if not exists processing_jobs (
  id            bigint generated always as identity,
  block_number  bigint      primary key check (block_number >= 0),
  status        text        not null default 'pending'
                check (status in ('pending', 'scheduled', 'processing', 'completed', 'failed', 'cancelled')),
  priority      int         not null default 0,
  created_at    timestamptz not null default now(),
  run_at        timestamptz not null default now(),
  started_at    timestamptz,
  completed_at  timestamptz,
  worker_id     text,
  attempts      int         not null default 0 check (attempts >= 0),
  deaths        int         not null default 0 check (deaths >= 0),
  claims        int         not null default 0 check (claims >= 0),
  last_error    text,
  metadata      jsonb,
  result        jsonb,
  block_hash    bytea       check (octet_length(block_hash) = 32),
  -- A claim (pending to processing) changes neither of these two, and no other indexed value. So it
  -- is a heap-only (HOT) update: no index is written, and the dead version is pruned on the spot.
  queued        boolean     generated always as (status in ('pending', 'processing')) stored,
  due_at        timestamptz generated always as (case when status = 'scheduled' then run_at end) stored,
  absences      int         not null default 0,
  suspended     boolean     not null default false,
  losses        int         not null default 0,
  constraint processing_has_owner
    check (status <> 'processing' or (worker_id is not null and started_at is not null)),
  -- Numbers that JavaScript has exactly, and their successors: one row beyond them stops whoever reads it with others.
  constraint processing_jobs_bounds
    check (block_number <= 9007199254740990 and id between 0 and 9007199254740990)
) with (
  -- Room for a new version of every row on its own page, which is what a HOT update needs: at 70 a third of
  -- a backlog's claims were HOT, at 40 all of them are, and the table stays smaller for it.
  fillfactor = 40,
  -- The default waits for 20 % of the table; a queue turns its rows over all day.
  autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_insert_scale_factor = 0.05,
  autovacuum_analyze_scale_factor = 0.05,
  autovacuum_vacuum_cost_delay = 0
);

create index if not exists processing_jobs_claim on processing_jobs (priority desc, block_number) where queued;
create index if not exists processing_jobs_due on processing_jobs (due_at) where due_at is not null;
create index if not exists processing_jobs_completed on processing_jobs (completed_at) where completed_at is not null;
-- Failed and cancelled: what stays for a person. Its conditions are columns that are indexed anyway, so that
-- claims stay HOT.
create index if not exists processing_jobs_halted on processing_jobs (block_number)
  where not queued and completed_at is null and due_at is null;

comment on table processing_jobs is
  'One row per block that is to be fetched. Insert a block_number and a sleeping worker starts within milliseconds: INSERT INTO processing_jobs (block_number) SELECT generate_series(1000000, 1001000);';
comment on column processing_jobs.id           is 'The job, never given twice. Together with worker_id, claims and started_at it is the token of a claim. It has no index: jobs are found by their block_number.';
comment on column processing_jobs.block_number is 'The block to fetch: 0 to 2^53 - 2. Unique: a block has one job.';
comment on column processing_jobs.status       is 'pending: may be claimed. scheduled: waits for run_at, or for its block to be there (absences). processing: claimed by worker_id. completed: its rows are committed. failed: attempts used up, see last_error; stays for a person (blockmill retry). cancelled: by a person (blockmill cancel).';
comment on column processing_jobs.priority     is 'Higher runs first; equal priorities run in the order of block_number.';
comment on column processing_jobs.created_at   is 'When the job was inserted.';
comment on column processing_jobs.run_at       is 'Not before. A row inserted with a run_at in the future becomes scheduled; so does a retry that backs off, and a block that is not there yet. infinity parks the job: it waits until a person gives it another time.';
comment on column processing_jobs.started_at   is 'When the last claim was made, by the database''s clock.';
comment on column processing_jobs.completed_at is 'When the block''s rows were committed. Null in every other status.';
comment on column processing_jobs.worker_id    is 'Who claimed it last: host.pid.life/worker. Never used by another process, so it identifies one life of one process.';
comment on column processing_jobs.attempts     is 'How many claims were made that count. A claim that was given back unharmed (drain, database or endpoints down), whose block was not there yet, or that was lost with its host, or with a worker that computed another block, does not count.';
comment on column processing_jobs.deaths       is 'How many workers died while they computed this block, and how often it was lost with its host again. A job that saw a death is claimed alone, so that a block that kills its worker takes no other with it.';
comment on column processing_jobs.claims       is 'How many claims were ever made of it. Only grows, whatever becomes of attempts: so, with started_at, no two claims ever have the same token, and one that was taken away can settle nothing.';
comment on column processing_jobs.last_error   is 'The last failure, in one line, without secrets. Every failure is in processing_failures.';
comment on column processing_jobs.metadata     is 'Yours. blockmill never writes it.';
comment on column processing_jobs.result       is 'What blockmill says of the block when it completes the job. transactions: its rows in transactions. logs: its rows in logs. withdrawals: its rows in withdrawals. token_transfers: its rows in token_transfers. fetch_ms: milliseconds to fetch it, retries included. verify_ms: milliseconds to prove it. encode_ms: milliseconds to turn it into rows. endpoint: the endpoint that served it. direct: whether it went the direct way, from the bytes of the answers to rows in one go. absent: the chain has no block at this number, as its neighbours prove; only then it is there.';
comment on column processing_jobs.block_hash   is 'The hash that is wanted at this number; null: whatever is canonical.';
comment on column processing_jobs.queued       is 'Generated: pending or processing. The claim index covers these rows.';
comment on column processing_jobs.due_at       is 'Generated: run_at while scheduled.';
comment on column processing_jobs.absences     is 'How often in a row its block could not be had yet: it costs no attempt, and each wait is longer than the last. The head''s arrival at its height ends it.';
comment on column processing_jobs.losses       is 'In how many deaths of workers it was in hand of which nobody knows the cause: they were killed from outside while they computed nothing. They cost no attempt; after three in a row the job is claimed alone, and after 16, or five times pipeline.max_attempts, it is failed. A claim whose worker lives begins the count anew.';
comment on column processing_jobs.suspended    is 'Set by blockmill, while run_at is infinity: a reorg dropped its block, and it runs when the new branch reaches this height. A job with run_at = infinity that is not suspended is parked: it waits for a person.';

create table if not exists processing_failures (
  id            bigint generated always as identity primary key,
  job_id        bigint      not null,
  block_number  bigint      not null,
  attempt       int         not null,
  failed_at     timestamptz not null default now(),
  class         text        not null,
  message       text        not null,
  worker_id     text,
  endpoint      text
);

create index if not exists processing_failures_block on processing_failures (block_number, id);

comment on table processing_failures is
  'A row per failed attempt. Bounded: the newest queue.failures_kept rows are kept.';
comment on column processing_failures.id           is 'In the order of the failures.';
comment on column processing_failures.job_id       is 'The job that failed.';
comment on column processing_failures.block_number is 'Its block.';
comment on column processing_failures.attempt      is 'Which attempt it was, counted from 1.';
comment on column processing_failures.failed_at    is 'When, by the database''s clock.';
comment on column processing_failures.class        is 'What it means: retry (counts an attempt, runs again later), unlinked (so does this: a stored neighbour is of another branch, and the orchestrator looks which of the two is wrong), unproven (so does this: what the endpoint sent contradicts itself), fatal (the job will not be tried again by itself), died (the worker ended while it computed the block, or the host was lost that held it and another was within the hour before), lost (its host was lost; no attempt counts).';
comment on column processing_failures.message      is 'What happened, without secrets.';
comment on column processing_failures.worker_id    is 'Who held the job.';
comment on column processing_failures.endpoint     is 'The endpoint that is to blame, if one is (its name, never its URL).';

create table if not exists processing_ranges (
  id            bigint generated always as identity primary key,
  from_block    bigint      not null check (from_block >= 0),
  to_block      bigint      not null,
  next_block    bigint      not null,
  priority      int         not null default 0,
  force         boolean     not null default false,
  created_at    timestamptz not null default now(),
  enqueued_at   timestamptz,
  cancelled_at  timestamptz,
  by_head       boolean     not null default false,
  constraint processing_ranges_order check (to_block >= from_block and next_block between from_block and to_block + 1),
  constraint processing_ranges_bounds
    check (to_block <= 9007199254740990 and id between 0 and 9007199254740990)
);

create index if not exists processing_ranges_open on processing_ranges (priority desc, id)
  where enqueued_at is null and cancelled_at is null;

comment on table processing_ranges is
  'A range of blocks to be fetched: one row, however long. The orchestrator turns it into jobs a window at a time.';
comment on column processing_ranges.id           is 'The range. Of equal priorities the lowest is enqueued first.';
comment on column processing_ranges.from_block   is 'The first block, inclusive.';
comment on column processing_ranges.to_block     is 'The last block, inclusive: at most 2^53 - 2.';
comment on column processing_ranges.next_block   is 'The first block that is not yet a job; to_block + 1 when all are.';
comment on column processing_ranges.priority     is 'The priority of its jobs.';
comment on column processing_ranges.force        is 'Fetch blocks again that are stored already.';
comment on column processing_ranges.created_at   is 'When it was asked for.';
comment on column processing_ranges.enqueued_at  is 'When its last block became a job.';
comment on column processing_ranges.cancelled_at is 'When a person cancelled the rest of it.';
comment on column processing_ranges.by_head is 'Made by blockmill for the blocks between two heads: cut when the later one proves false.';

create table if not exists processing_workers (
  worker_id      text primary key,
  supervisor_id  text        not null,
  role           text        not null check (role ~ '^[a-z][a-z-]{0,39}$'),
  hostname       text        not null,
  pid            int         not null,
  version        text        not null,
  started_at     timestamptz not null default now(),
  seen_at        timestamptz not null default now(),
  state          text        not null default 'starting',
  doing          jsonb
);

create index if not exists processing_workers_supervisor on processing_workers (supervisor_id);

comment on table processing_workers is
  'Who lives, where, doing what. Written by each host''s supervisor. For people: whether a host lives is decided by the advisory lock of its supervisor_id, never by this table.';
comment on column processing_workers.worker_id     is 'The process, in one life: what processing_jobs.worker_id names.';
comment on column processing_workers.supervisor_id is 'Its supervisor, whose session holds the advisory lock hashtextextended(supervisor_id, 0).';
comment on column processing_workers.role          is 'supervisor, or the kind of child: orchestrator, worker. Newer versions may have other kinds.';
comment on column processing_workers.hostname      is 'The host.';
comment on column processing_workers.pid           is 'The process id on that host.';
comment on column processing_workers.version       is 'The program''s version.';
comment on column processing_workers.started_at    is 'When it was registered.';
comment on column processing_workers.seen_at       is 'When its supervisor last wrote this row.';
comment on column processing_workers.state         is 'starting, idle, working, waiting (database or endpoints down), draining; an orchestrator is leading or following.';
comment on column processing_workers.doing         is 'Counts since its start, memory, and the blocks in hand.';

create table if not exists processing_coverage (
  one     boolean primary key default true check (one),
  blocks  int8multirange not null default '{}',
  absent  int8multirange not null default '{}',
  feed    boolean        not null default false
);

insert into processing_coverage default values on conflict do nothing;

comment on table processing_coverage is
  'The blocks whose completed jobs were archived, as one multirange. Gaps are a range minus this, minus the completed jobs still in processing_jobs.';
comment on column processing_coverage.one    is 'Always true: there is one row.';
comment on column processing_coverage.blocks is 'The archived blocks: {[0,21000000),[21000005,21000010)}.';
comment on column processing_coverage.absent is 'Those of them at which the chain has no block (a null round of Filecoin), which its neighbours'' links prove: they have no row, and are no gap.';
comment on column processing_coverage.feed   is 'Whether the feed is on: who changes stored rows tells its readers (chain_feed).';

create table if not exists processing_control (
  one        boolean primary key default true check (one),
  paused_at  timestamptz,
  reason     text
);

insert into processing_control default values on conflict do nothing;

comment on table processing_control is
  'The switch for everybody who shares this schema: while it is paused nobody claims a job. Set by blockmill pause and resume, or by hand.';
comment on column processing_control.one       is 'Always true: there is one row.';
comment on column processing_control.paused_at is 'Since when work is paused; null: it is not.';
comment on column processing_control.reason    is 'Why, in words.';

create table if not exists processing_pause (
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

create table if not exists processing_history (
  completed_at  timestamptz not null,
  block_number  bigint      not null,
  id            bigint      not null,
  priority      int         not null,
  created_at    timestamptz not null,
  started_at    timestamptz,
  worker_id     text,
  attempts      int         not null,
  metadata      jsonb,
  result        jsonb
) partition by range (completed_at);

-- Catches what has no day of its own, such as jobs that completed before a long pause of the daemon.
create table if not exists processing_history_other partition of processing_history default;

create index if not exists processing_history_block on processing_history (block_number);

comment on table processing_history is
  'Completed jobs after they left processing_jobs, in a partition per day (UTC). Days older than queue.history_days are dropped as a whole.';
comment on table processing_history_other is 'Rows of processing_history that no day''s partition took.';
comment on column processing_history.completed_at is 'As in processing_jobs.';
comment on column processing_history.block_number is 'As in processing_jobs.';
comment on column processing_history.id           is 'As in processing_jobs.';
comment on column processing_history.priority     is 'As in processing_jobs.';
comment on column processing_history.created_at   is 'As in processing_jobs.';
comment on column processing_history.started_at   is 'As in processing_jobs.';
comment on column processing_history.worker_id    is 'As in processing_jobs.';
comment on column processing_history.attempts     is 'As in processing_jobs.';
comment on column processing_history.metadata     is 'As in processing_jobs.';
comment on column processing_history.result       is 'As in processing_jobs.';

create table if not exists processing_head (
  one              boolean     primary key default true check (one),
  chain_id         bigint      not null check (chain_id > 0),
  next_block       bigint      check (next_block >= 0),
  head_number      bigint      not null check (head_number >= 0),
  head_hash        bytea       not null check (octet_length(head_hash) = 32),
  head_time        timestamptz not null,
  safe_block       bigint,
  finalized_block  bigint,
  seen_at          timestamptz not null default now()
);

comment on table processing_head is
  'The chain that this schema holds, and how far its head was followed. Written by the leading orchestrator.';
comment on column processing_head.one         is 'Always true: there is one row.';
comment on column processing_head.chain_id    is 'The chain. A daemon whose endpoints serve another one refuses to start.';
comment on column processing_head.next_block  is 'The first block behind the head that was not enqueued yet; null: nobody followed with pipeline.auto_enqueue so far.';
comment on column processing_head.head_number is 'The newest block that an endpoint told of.';
comment on column processing_head.head_hash   is 'Its hash. 32 bytes.';
comment on column processing_head.head_time   is 'Its timestamp.';
comment on column processing_head.safe_block      is 'The newest block that is safe, where an endpoint tells.';
comment on column processing_head.finalized_block is 'The newest block that is final, where an endpoint tells.';
comment on column processing_head.seen_at     is 'When it was told, by the database''s clock.';

create table if not exists reorgs (
  id              bigint generated always as identity primary key,
  detected_at     timestamptz not null default now(),
  fork_block      bigint      not null,
  depth           int         not null check (depth >= 0),
  old_head        bigint      not null,
  new_head        bigint      not null,
  old_hash        bytea       check (octet_length(old_hash) = 32),
  new_hash        bytea       not null check (octet_length(new_hash) = 32),
  rows_removed    jsonb       not null,
  told_by         text        not null,
  confirmed_by    text        not null
);

create index if not exists reorgs_detected on reorgs (detected_at);

comment on table reorgs is
  'A row per reorg that was undone. Written in the transaction that removes the dropped blocks'' rows; it also sends NOTIFY blockmill_reorgs_SCHEMA with the row''s id.';
comment on column reorgs.id           is 'In the order in which they were found.';
comment on column reorgs.detected_at  is 'When the rows were removed.';
comment on column reorgs.fork_block   is 'The last block that both branches have. Every row above it was removed.';
comment on column reorgs.depth        is 'How many stored blocks were removed.';
comment on column reorgs.old_head     is 'The newest block that was stored or asked for, of the old branch.';
comment on column reorgs.new_head     is 'The newest block of the new branch at that moment.';
comment on column reorgs.old_hash     is 'The dropped block''s hash at fork_block + 1, if one was stored or asked for.';
comment on column reorgs.new_hash     is 'The new block''s hash at fork_block + 1.';
comment on column reorgs.rows_removed is 'Rows removed, by table.';
comment on column reorgs.told_by      is 'The endpoint that told of the new branch.';
comment on column reorgs.confirmed_by is 'The endpoint that confirmed it; the same one where there is no other.';

create table if not exists alerts (
  id          bigint generated always as identity primary key,
  kind        text        not null,
  message     text        not null,
  raised_at   timestamptz not null default now(),
  cleared_at  timestamptz,
  priority    text        not null default 'err' check (priority in ('err', 'warning')),
  told        jsonb       not null default '{}',
  settled     boolean     not null default false
);

create unique index if not exists alerts_open on alerts (kind) where cleared_at is null;
create index if not exists alerts_unsettled on alerts (id) where not settled;

comment on table alerts is 'What a person should look at. At most one of a kind is open. Whoever raises or clears one sends NOTIFY blockmill_alerts_SCHEMA with the row''s id. Bounded: the newest 1,000 that are over are kept.';
comment on column alerts.id         is 'In the order in which they were raised.';
comment on column alerts.kind       is 'The rule that raised it: docs/TROUBLESHOOTING.md has a heading for each. blockmill config --explain says how to change or silence one (alerts.rules). impossible_blocks: an upgrade removed jobs of blocks that no chain has.';
comment on column alerts.message    is 'What happened and what to do.';
comment on column alerts.raised_at  is 'When it was noticed first.';
comment on column alerts.cleared_at is 'When it was over; null: it is still so.';
comment on column alerts.priority   is 'err: something does not work. warning: it will not for long, or somebody has to see to it.';
comment on column alerts.told       is 'Who was told, by sink: {"webhook": {"event": "raised", "attempts": 0}}. event: the last one that was taken, raised or resolved; attempts and due_at: of the one that was not.';
comment on column alerts.settled    is 'It is over, and there is nobody left who is to be told of it.';

create table if not exists processing_upkeep (
  what     text primary key check (what in ('backup', 'verification')),
  done_at  timestamptz not null default now()
);

comment on table processing_upkeep is 'When a person or a timer last looked after the data. Written by blockmill backup and blockmill verify, once they succeeded.';
comment on column processing_upkeep.what    is 'backup; or verification, of stored blocks.';
comment on column processing_upkeep.done_at is 'When it was last done.';

create table if not exists processing_disk (
  sampled_at  timestamptz primary key default now(),
  blocks      bigint not null,
  bytes       jsonb  not null
);

comment on table processing_disk is 'What the tables took, once an hour, for the last 40 days: blockmill disk and the forecast of a full disk are made of it. Written by the leading orchestrator.';
comment on column processing_disk.sampled_at is 'When it was measured.';
comment on column processing_disk.blocks     is 'How many blocks were stored.';
comment on column processing_disk.bytes      is 'By table, in bytes, indexes included.';

create table if not exists processing_samples (
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

create table if not exists processing_marks (
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

-- NOTIFY is a hint with an empty payload, on the channel blockmill_jobs_SCHEMA. Whoever listens looks
-- into the table, and never believes a notification: anyone may send one.
create or replace function processing_jobs_notify() returns trigger language plpgsql as $$
begin
  perform pg_catalog.pg_notify(pg_catalog.left('blockmill_jobs_' operator(pg_catalog.||) tg_table_schema::text, 63), '');
  return null;
end
$$;

comment on function processing_jobs_notify() is 'Wakes the workers and the orchestrator of this schema.';

create or replace function processing_jobs_schedule() returns trigger language plpgsql as $$
begin
  new.status := 'scheduled';
  return new;
end
$$;

comment on function processing_jobs_schedule() is 'A pending row whose run_at lies in the future is scheduled.';

create or replace trigger processing_jobs_schedule before insert on processing_jobs
  for each row when (new.status = 'pending' and new.run_at > statement_timestamp()) execute function processing_jobs_schedule();

-- A trigger before the update would do for updates too. But where there is one, PostgreSQL locks each row before it
-- updates it, whatever the WHEN clause says: every claim and completion would pay for what people do now and then.
create or replace function processing_jobs_reschedule() returns trigger language plpgsql as $$
begin
  execute pg_catalog.format(
    'update %I.processing_jobs set status = ''scheduled'' where block_number operator(pg_catalog.=) $1', tg_table_schema
  ) using new.block_number;
  return null;
end
$$;

comment on function processing_jobs_reschedule() is 'The same for a row that becomes so: by the end of the statement it is scheduled.';

create or replace trigger processing_jobs_reschedule after update of run_at, status on processing_jobs
  for each row when (new.status = 'pending' and new.run_at > statement_timestamp()) execute function processing_jobs_reschedule();

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

create or replace trigger processing_jobs_inserted after insert on processing_jobs
  for each statement execute function processing_jobs_notify();

-- A row that becomes pending or scheduled again wakes someone too. PostgreSQL sends equal notifications
-- of one transaction once. The WHEN clause keeps claims and completions from queueing trigger events.
create or replace trigger processing_jobs_requeued after update on processing_jobs
  for each row when (new.status in ('pending', 'scheduled') and (old.status <> new.status or old.run_at <> new.run_at))
  execute function processing_jobs_notify();

create or replace trigger processing_control_changed after update on processing_control
  for each statement execute function processing_jobs_notify();

create or replace trigger processing_ranges_inserted after insert or update of cancelled_at on processing_ranges
  for each statement execute function processing_jobs_notify();

-- ---------------------------------------------------------------------------------------------
-- The chain's rows. Columns are the JSON-RPC names in snake_case; from and to are from_address and
-- to_address. Null means that the chain or the fork does not have the field.
--
-- As they stand here they are plain tables. Where database.partition_blocks is set, `blockmill init`
-- makes these five with `partition by range` of their block's number, and those of chain_tables when they
-- are added. All else is the same.
-- ---------------------------------------------------------------------------------------------

create table if not exists chain_layout (
  one               boolean primary key default true check (one),
  partition_blocks  bigint  not null check (partition_blocks >= 0)
);

insert into chain_layout (partition_blocks) values (0) on conflict do nothing;

comment on table chain_layout is
  'How the chain''s tables are laid out. Written when they are made, and never changed: tables that are there are not made over.';
comment on column chain_layout.one              is 'Always true: there is one row.';
comment on column chain_layout.partition_blocks is 'Blocks in one partition; 0: the tables are not partitioned.';

create table if not exists chain_tables (
  name      text        primary key check (name ~ '^[a-z][a-z0-9_]{0,39}$'),
  added_at  timestamptz not null default now()
);

comment on table chain_tables is
  'Tables of this schema that hold rows of blocks, beside the five below: what follows from a block''s rows. Each has a column block_number. They are written, removed, granted, partitioned and backed up with their block; blocks.digest does not cover them.';
comment on column chain_tables.name     is 'The table: at most 40 lower-case letters, digits and underscores, so that its partitions find names. One that was dropped is passed over.';
comment on column chain_tables.added_at is 'When it was added.';

-- What is decoded: a table for each event that the configuration names (its key decode).

create table if not exists decoders (
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

create table if not exists decoded_blocks (
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

create table if not exists blocks (
  number                    bigint primary key,
  hash                      bytea       not null,
  parent_hash               bytea       not null,
  timestamp                 timestamptz not null,
  miner                     bytea,
  gas_limit                 numeric(20, 0),
  gas_used                  numeric(20, 0),
  base_fee_per_gas          numeric(78, 0),
  difficulty                numeric(78, 0),
  total_difficulty          numeric(78, 0),
  size                      bigint,
  extra_data                bytea,
  logs_bloom                bytea,
  state_root                bytea,
  transactions_root         bytea,
  receipts_root             bytea,
  sha3_uncles               bytea,
  uncles                    bytea[]     not null,
  nonce                     bytea,
  mix_hash                  bytea,
  withdrawals_root          bytea,
  blob_gas_used             numeric(20, 0),
  excess_blob_gas           numeric(20, 0),
  parent_beacon_block_root  bytea,
  requests_hash             bytea,
  transaction_count         int         not null,
  log_count                 int         not null,
  extra                     jsonb,
  verified                  text[]      not null default '{}',
  digest                    bytea       check (octet_length(digest) = 32),
  digest_version            smallint    not null default 1
);

comment on table blocks is 'One row per block: its header, and how many rows the other tables have of it.';
comment on column blocks.number                   is 'The block''s number.';
comment on column blocks.hash                     is 'Keccak-256 of the RLP of the header. 32 bytes.';
comment on column blocks.parent_hash              is 'The hash of block number - 1. 32 bytes.';
comment on column blocks.timestamp                is 'The block''s time, from the header, to the second.';
comment on column blocks.miner                    is 'The fee recipient (before the merge: who mined it). 20 bytes. Null where nothing proves the block and its node does not tell: so with every column that may be null here and that a proof demands.';
comment on column blocks.gas_limit                is 'The most gas the block''s transactions may use together.';
comment on column blocks.gas_used                 is 'The gas they used.';
comment on column blocks.base_fee_per_gas         is 'Wei per gas that is burned (EIP-1559). Null before London.';
comment on column blocks.difficulty               is 'Proof of work difficulty; 0 after the merge.';
comment on column blocks.total_difficulty         is 'Summed up to this block; newer nodes no longer tell. Unproven: no hash covers it.';
comment on column blocks.size                     is 'Bytes of the block''s RLP. Unproven: of a block with uncles, their headers are a part of it.';
comment on column blocks.extra_data               is 'Free bytes of the proposer.';
comment on column blocks.logs_bloom               is '2048 bits: the bloom filter of all logs. 256 bytes.';
comment on column blocks.state_root               is 'Root of the state trie after the block. 32 bytes.';
comment on column blocks.transactions_root        is 'Root of the trie of the transactions. 32 bytes.';
comment on column blocks.receipts_root            is 'Root of the trie of the receipts. 32 bytes.';
comment on column blocks.sha3_uncles              is 'Hash of the list of uncle headers. 32 bytes.';
comment on column blocks.uncles                   is 'The uncles'' hashes. Unproven: their headers are not fetched.';
comment on column blocks.nonce                    is 'Proof of work nonce. 8 bytes; null on chains without one.';
comment on column blocks.mix_hash                 is 'Proof of work mix, or RANDAO after the merge (EIP-4399). 32 bytes.';
comment on column blocks.withdrawals_root         is 'Root of the trie of the withdrawals (EIP-4895). Null before Shanghai.';
comment on column blocks.blob_gas_used            is 'Blob gas used (EIP-4844). Null before Cancun.';
comment on column blocks.excess_blob_gas          is 'Running excess of blob gas (EIP-4844). Null before Cancun.';
comment on column blocks.parent_beacon_block_root is 'Root of the parent beacon block (EIP-4788). Null before Cancun.';
comment on column blocks.requests_hash            is 'Hash of the execution requests (EIP-7685). Null before Prague.';
comment on column blocks.transaction_count        is 'Rows of this block in transactions.';
comment on column blocks.log_count                is 'Rows of this block in logs.';
comment on column blocks.extra                    is 'Header fields that this table has no column for, or whose value their column cannot hold (then it is null), as the node sent them (other chains, newer forks). Unproven: no hash covers it.';
comment on column blocks.verified                 is 'What was proven before it was stored, of what the block has: hash, transactionsRoot, receiptsRoot, withdrawalsRoot, logsBloom, ... What the chain''s rules leave out is listed where it held. Empty: nothing.';
comment on column blocks.digest                   is 'SHA-256 over the columns of this row and of all the block''s rows in the other tables that digest_version covers, in PostgreSQL''s binary COPY format: blockmill verify finds any byte that changed since, also where no root of the chain covers it. 32 bytes.';
comment on column blocks.digest_version           is 'Which columns the digest covers: those that existed when this version of it began. Columns that came later are null in this block''s rows. From version 2 on the digest covers the version too.';

create table if not exists transactions (
  block_number              bigint  not null,
  transaction_index         int     not null,
  hash                      bytea   not null,
  block_hash                bytea   not null,
  type                      smallint not null,
  from_address              bytea   not null,
  to_address                bytea,
  nonce                     numeric(20, 0),
  value                     numeric(78, 0),
  gas                       numeric(20, 0),
  gas_price                 numeric(78, 0),
  max_fee_per_gas           numeric(78, 0),
  max_priority_fee_per_gas  numeric(78, 0),
  input                     bytea,
  access_list               jsonb,
  chain_id                  numeric(78, 0),
  max_fee_per_blob_gas      numeric(78, 0),
  blob_versioned_hashes     bytea[],
  authorization_list        jsonb,
  r                         bytea,
  s                         bytea,
  v                         numeric(78, 0),
  y_parity                  smallint,
  status                    smallint,
  root                      bytea,
  gas_used                  numeric(20, 0),
  cumulative_gas_used       numeric(20, 0),
  effective_gas_price       numeric(78, 0),
  contract_address          bytea,
  blob_gas_used             numeric(20, 0),
  blob_gas_price            numeric(78, 0),
  log_count                 int     not null,
  extra                     jsonb,
  primary key (block_number, transaction_index)
);

comment on table transactions is 'One row per transaction, its receipt''s fields merged in (from status on).';
comment on column transactions.block_number             is 'Its block.';
comment on column transactions.transaction_index        is 'Its place in the block, from 0.';
comment on column transactions.hash                     is 'The transaction''s hash. 32 bytes. Its index is built after the backfill: blockmill index.';
comment on column transactions.block_hash               is 'The hash of its block. 32 bytes.';
comment on column transactions.type                     is '0 legacy, 1 EIP-2930, 2 EIP-1559, 3 EIP-4844 (blobs), 4 EIP-7702; others are of other chains.';
comment on column transactions.from_address             is 'The sender, as the node recovered it. 20 bytes. Unproven: compared with the receipt; chain.recover_senders proves it.';
comment on column transactions.to_address               is 'The recipient. 20 bytes; null: a contract was created.';
comment on column transactions.nonce                    is 'The sender''s count of transactions before this one.';
comment on column transactions.value                    is 'Wei that were sent along.';
comment on column transactions.gas                      is 'The gas limit.';
comment on column transactions.gas_price                is 'Wei per gas: as signed (types 0 and 1), or as paid (types 2 to 4).';
comment on column transactions.max_fee_per_gas          is 'The most wei per gas (EIP-1559).';
comment on column transactions.max_priority_fee_per_gas is 'The most wei per gas for the proposer (EIP-1559).';
comment on column transactions.input                    is 'Call data, or the code that creates a contract.';
comment on column transactions.access_list              is 'EIP-2930: [{"address": "0x..", "storageKeys": ["0x.."]}].';
comment on column transactions.chain_id                 is 'The chain it was signed for; null before EIP-155.';
comment on column transactions.max_fee_per_blob_gas     is 'The most wei per blob gas (EIP-4844).';
comment on column transactions.blob_versioned_hashes    is 'Versioned hashes of its blobs (EIP-4844). 32 bytes each.';
comment on column transactions.authorization_list       is 'EIP-7702: [{"chainId": "0x..", "address": "0x..", "nonce": "0x..", "yParity": "0x..", "r": "0x..", "s": "0x.."}].';
comment on column transactions.r                        is 'Signature r, padded to 32 bytes.';
comment on column transactions.s                        is 'Signature s, padded to 32 bytes.';
comment on column transactions.v                        is 'Signature v, as the node sends it; of types 1 to 4, where their hash is proven, the parity.';
comment on column transactions.y_parity                 is 'Parity of the signature''s y, 0 or 1 (types 1 to 4; some nodes say it of type 0 as well).';
comment on column transactions.status                   is 'Receipt: 1 succeeded, 0 reverted. Null before Byzantium.';
comment on column transactions.root                     is 'Receipt: the state root after the transaction. Only before Byzantium.';
comment on column transactions.gas_used                 is 'Receipt: the gas that it used.';
comment on column transactions.cumulative_gas_used      is 'Receipt: the gas that it and those before it in the block used.';
comment on column transactions.effective_gas_price      is 'Receipt: wei per gas that were paid.';
comment on column transactions.contract_address         is 'Receipt: the contract that it created, or would have created had it not failed.';
comment on column transactions.blob_gas_used            is 'Receipt: blob gas that it used (EIP-4844).';
comment on column transactions.blob_gas_price           is 'Receipt: wei per blob gas that were paid (EIP-4844). Unproven: where the chain''s blob schedule is not known, as from its newest known fork on.';
comment on column transactions.log_count                is 'Rows of this transaction in logs.';
comment on column transactions.extra                    is 'Fields of the transaction and {"receipt": {...}} that this table has no column for, or whose value their column cannot hold (then it is null), as the node sent them. Unproven: no hash covers it.';

create table if not exists logs (
  block_number       bigint not null,
  log_index          int    not null,
  block_hash         bytea  not null,
  transaction_hash   bytea  not null,
  transaction_index  int    not null,
  address            bytea  not null,
  topic0             bytea,
  topic1             bytea,
  topic2             bytea,
  topic3             bytea,
  data               bytea  not null,
  primary key (block_number, log_index)
);

comment on table logs is 'One row per log (event).';
comment on column logs.block_number      is 'Its block.';
comment on column logs.log_index         is 'Its place in the block, from 0.';
comment on column logs.block_hash        is 'The hash of its block. 32 bytes.';
comment on column logs.transaction_hash  is 'The transaction that emitted it. 32 bytes.';
comment on column logs.transaction_index is 'That transaction''s place in the block.';
comment on column logs.address           is 'The contract that emitted it. 20 bytes.';
comment on column logs.topic0            is 'First topic: the hash of the event''s signature, unless the event is anonymous. 32 bytes.';
comment on column logs.topic1            is 'Second topic. 32 bytes.';
comment on column logs.topic2            is 'Third topic. 32 bytes.';
comment on column logs.topic3            is 'Fourth topic. 32 bytes.';
comment on column logs.data              is 'The arguments that are not indexed, ABI encoded.';

create table if not exists withdrawals (
  block_number     bigint not null,
  index            numeric(20, 0) not null,
  validator_index  numeric(20, 0) not null,
  address          bytea  not null,
  amount           numeric(20, 0) not null,
  primary key (block_number, index)
);

comment on table withdrawals is 'Withdrawals from the beacon chain (EIP-4895), since Shanghai.';
comment on column withdrawals.block_number    is 'The block that credited it.';
comment on column withdrawals.index           is 'Its number among all withdrawals ever.';
comment on column withdrawals.validator_index is 'The validator.';
comment on column withdrawals.address         is 'Who was credited. 20 bytes.';
comment on column withdrawals.amount          is 'In gwei, not wei.';

create table if not exists token_transfers (
  block_number      bigint not null,
  log_index         int    not null,
  batch_index       int    not null,
  transaction_hash  bytea  not null,
  token_address     bytea  not null,
  standard          text   not null check (standard in ('erc20', 'erc721', 'erc1155')),
  operator          bytea,
  from_address      bytea  not null,
  to_address        bytea  not null,
  value             numeric(78, 0) not null,
  token_id          numeric(78, 0),
  primary key (block_number, log_index, batch_index)
);

comment on table token_transfers is 'Transfers of ERC-20, ERC-721 and ERC-1155 tokens, decoded from logs.';
comment on column token_transfers.block_number     is 'Its block.';
comment on column token_transfers.log_index        is 'The log that it was decoded from.';
comment on column token_transfers.batch_index      is 'Its place in a TransferBatch; 0 otherwise.';
comment on column token_transfers.transaction_hash is 'The transaction that emitted it. 32 bytes.';
comment on column token_transfers.token_address    is 'The token''s contract. 20 bytes.';
comment on column token_transfers.standard         is 'erc20, erc721 or erc1155, told by the shape of the log.';
comment on column token_transfers.operator         is 'ERC-1155: who moved it. 20 bytes.';
comment on column token_transfers.from_address     is 'From whom; zero: minted. 20 bytes.';
comment on column token_transfers.to_address       is 'To whom; zero: burned. 20 bytes.';
comment on column token_transfers.value            is 'How many, in the token''s smallest unit; 1 for ERC-721.';
comment on column token_transfers.token_id         is 'Which token; null for ERC-20.';

-- Whoever commits blocks makes their partitions first, in a transaction of its own, and may be a role that
-- owns nothing and can create nothing. So create_chain_partition runs with its owner's rights, and does this one thing. A table
-- that is made beside its parent and attached then needs no lock that a commit would wait for.
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

create or replace function create_chain_partition(first_block bigint) returns boolean
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  -- Bound to these two objects, not to their names: the schema may be renamed, and no search_path leads elsewhere.
  select chain_partition('chain_layout'::regclass, first_block);
end;

revoke execute on function chain_partition(regclass, bigint), create_chain_partition(bigint) from public;

comment on function chain_partition(regclass, bigint) is
  'Makes the partitions of blocks, transactions, logs, withdrawals, token_transfers and the tables of chain_tables that begin with first_block, beside the table chain_layout that is given. Returns whether any was missing.';
comment on function create_chain_partition(bigint) is
  'Makes the partitions that begin with first_block, a multiple of chain_layout.partition_blocks, in this schema. Workers call it before they write there; a person may.';

-- ---------------------------------------------------------------------------------------------
-- The feed: what became of blocks, step by step, for readers that follow. Off until feed.enabled: then these tables are empty
-- ---------------------------------------------------------------------------------------------

create table if not exists chain_feed (
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

create table if not exists chain_changes (
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

create index if not exists chain_changes_number on chain_changes (number, id) where number is not null;

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

create table if not exists chain_readers (
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

create table if not exists dropped_rows (
  change_id   bigint not null,
  number      bigint not null,
  hash        bytea,
  table_name  text   not null,
  row         jsonb  not null
);

create index if not exists dropped_rows_change on dropped_rows (change_id, table_name);

comment on table dropped_rows is
  'The rows of reverted blocks, for readers that have not passed the revert. Gone when the slowest one has. Read them by the views dropped_blocks, ..., or by dropped(null::TABLE, ID).';
comment on column dropped_rows.change_id  is 'The revert, in chain_changes.';
comment on column dropped_rows.number     is 'The block.';
comment on column dropped_rows.hash       is 'Its hash. 32 bytes.';
comment on column dropped_rows.table_name is 'The table in which the row stood.';
comment on column dropped_rows.row        is 'The row, as to_jsonb writes it.';

create or replace view dropped_blocks as
select dropped.change_id, dropped.hash as dropped_hash, old.*
from dropped_rows as dropped, jsonb_populate_record(null::blocks, dropped.row) as old
where dropped.table_name = 'blocks';

create or replace view dropped_transactions as
select dropped.change_id, dropped.hash as dropped_hash, old.*
from dropped_rows as dropped, jsonb_populate_record(null::transactions, dropped.row) as old
where dropped.table_name = 'transactions';

create or replace view dropped_logs as
select dropped.change_id, dropped.hash as dropped_hash, old.*
from dropped_rows as dropped, jsonb_populate_record(null::logs, dropped.row) as old
where dropped.table_name = 'logs';

create or replace view dropped_withdrawals as
select dropped.change_id, dropped.hash as dropped_hash, old.*
from dropped_rows as dropped, jsonb_populate_record(null::withdrawals, dropped.row) as old
where dropped.table_name = 'withdrawals';

create or replace view dropped_token_transfers as
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
create or replace function refuse_reader(message text, remedy text) returns boolean
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception '%', message using hint = remedy, errcode = '55000';
end
$$;

create or replace function may_read_as(reader text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select exists (
    select from pg_roles
    where (rolname = (select role from chain_readers where name = reader)
        or oid = (select relowner from pg_class where oid = 'chain_readers'::regclass))
      and pg_has_role(session_user, oid, 'member')
  );
end;

create or replace function check_reader(reader text) returns boolean
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

create or replace function start_reader(reader text, after bigint default null)
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

create or replace function visible_changes(reader text, most int) returns setof chain_changes
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

create or replace function read_changes(reader text, most int default 100) returns setof chain_changes
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

create or replace function advance_reader(reader text, through bigint) returns void
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

create or replace function dropped(of_table anyelement, change bigint) returns setof anyelement
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

create or replace function stop_feed() returns void
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

-- ---------------------------------------------------------------------------------------------
-- For people: blocks, transactions and logs with 0x text; blocks without their digest
-- ---------------------------------------------------------------------------------------------

create or replace view blocks_hex as
select
  number,
  '0x' || encode(hash, 'hex') as hash,
  '0x' || encode(parent_hash, 'hex') as parent_hash,
  timestamp,
  '0x' || encode(miner, 'hex') as miner,
  gas_limit, gas_used, base_fee_per_gas, difficulty, total_difficulty, size,
  '0x' || encode(extra_data, 'hex') as extra_data,
  '0x' || encode(logs_bloom, 'hex') as logs_bloom,
  '0x' || encode(state_root, 'hex') as state_root,
  '0x' || encode(transactions_root, 'hex') as transactions_root,
  '0x' || encode(receipts_root, 'hex') as receipts_root,
  '0x' || encode(sha3_uncles, 'hex') as sha3_uncles,
  array(select '0x' || encode(u, 'hex') from unnest(uncles) with ordinality as t (u, i) order by i) as uncles,
  '0x' || encode(nonce, 'hex') as nonce,
  '0x' || encode(mix_hash, 'hex') as mix_hash,
  '0x' || encode(withdrawals_root, 'hex') as withdrawals_root,
  blob_gas_used, excess_blob_gas,
  '0x' || encode(parent_beacon_block_root, 'hex') as parent_beacon_block_root,
  '0x' || encode(requests_hash, 'hex') as requests_hash,
  transaction_count, log_count, extra, verified
from blocks;

comment on view blocks_hex is 'blocks, with 0x text instead of bytea.';

create or replace view transactions_hex as
select
  block_number, transaction_index,
  '0x' || encode(hash, 'hex') as hash,
  '0x' || encode(block_hash, 'hex') as block_hash,
  type,
  '0x' || encode(from_address, 'hex') as from_address,
  '0x' || encode(to_address, 'hex') as to_address,
  nonce, value, gas, gas_price, max_fee_per_gas, max_priority_fee_per_gas,
  '0x' || encode(input, 'hex') as input,
  access_list, chain_id, max_fee_per_blob_gas,
  case when blob_versioned_hashes is not null then
    array(select '0x' || encode(h, 'hex') from unnest(blob_versioned_hashes) with ordinality as t (h, i) order by i)
  end as blob_versioned_hashes,
  authorization_list,
  '0x' || encode(r, 'hex') as r,
  '0x' || encode(s, 'hex') as s,
  v, y_parity, status,
  '0x' || encode(root, 'hex') as root,
  gas_used, cumulative_gas_used, effective_gas_price,
  '0x' || encode(contract_address, 'hex') as contract_address,
  blob_gas_used, blob_gas_price, log_count, extra
from transactions;

comment on view transactions_hex is 'transactions, with 0x text instead of bytea.';

create or replace view logs_hex as
select
  block_number, log_index,
  '0x' || encode(block_hash, 'hex') as block_hash,
  '0x' || encode(transaction_hash, 'hex') as transaction_hash,
  transaction_index,
  '0x' || encode(address, 'hex') as address,
  '0x' || encode(topic0, 'hex') as topic0,
  '0x' || encode(topic1, 'hex') as topic1,
  '0x' || encode(topic2, 'hex') as topic2,
  '0x' || encode(topic3, 'hex') as topic3,
  '0x' || encode(data, 'hex') as data
from logs;

comment on view logs_hex is 'logs, with 0x text instead of bytea.';
