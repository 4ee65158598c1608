// What the suite installs in its own database: a side table that every change of a job's state and every
// block that is written or removed adds a row to, IN ITS TRANSACTION. What was rolled back is not in it; what
// happened twice is in it twice. And two ways to stop or refuse a commit from outside of the program.

import type pg from "pg";

/** The application_name of what people do by hand: allowed, whatever it is. */
export const personName = "chaos person";

/** The advisory lock that `chaos_control.gate` makes commits wait for. */
export const gateLock = 470_011;

export interface Effect {
  id: number;
  /** The transaction that it was written in. */
  txid: string;
  /** asked, job, dropped: a row of processing_jobs. stored, removed, altered, truncated: of blocks. */
  kind: "asked" | "job" | "dropped" | "stored" | "removed" | "altered" | "truncated";
  block: number | null;
  jobId: number | null;
  oldStatus: string | null;
  newStatus: string | null;
  /** Before the change, then after it: the token. */
  oldWorker: string | null;
  oldClaims: number | null;
  worker: string | null;
  claims: number | null;
  hash: string | null;
  /** The session's application_name. */
  who: string;
}

/** Installs all of it. The functions run with the rights of who calls this: the program may not write them. */
export async function installEffects(pool: pg.Pool): Promise<void> {
  await pool.query(`
    create table chaos_effects (
      id bigint generated always as identity primary key,
      at timestamptz not null default clock_timestamp(),
      txid xid8 not null default pg_current_xact_id(),
      kind text not null,
      block bigint,
      job_id bigint,
      old_status text,
      new_status text,
      old_worker text,
      old_claims int,
      worker text,
      claims int,
      hash bytea,
      who text not null default current_setting('application_name')
    );
    create table chaos_control (
      one boolean primary key default true check (one),
      gate boolean not null default false,
      refuse text,
      share real not null default 0
    );
    insert into chaos_control default values;

    create function chaos_job() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
    begin
      if tg_op = 'INSERT' then
        insert into chaos_effects (kind, block, job_id, new_status, claims)
        values ('asked', new.block_number, new.id, new.status, new.claims);
      elsif tg_op = 'DELETE' then
        insert into chaos_effects (kind, block, job_id, old_status, old_worker, old_claims)
        values ('dropped', old.block_number, old.id, old.status, old.worker_id, old.claims);
      else
        insert into chaos_effects (kind, block, job_id, old_status, new_status, old_worker, old_claims, worker, claims)
        values ('job', new.block_number, new.id, old.status, new.status, old.worker_id, old.claims, new.worker_id, new.claims);
      end if;
      return null;
    end $$;
    create trigger chaos_job_there after insert or delete on processing_jobs
      for each row execute function chaos_job();
    -- A truncate fires no trigger per row: each row counts as dropped.
    create function chaos_jobs() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
    begin
      insert into chaos_effects (kind, block, job_id, old_status, old_worker, old_claims)
      select 'dropped', block_number, id, status, worker_id, claims from processing_jobs;
      return null;
    end $$;
    create trigger chaos_jobs_gone before truncate on processing_jobs
      for each statement execute function chaos_jobs();
    create trigger chaos_job after update on processing_jobs for each row
      when (old.status <> new.status or old.claims <> new.claims or old.completed_at is distinct from new.completed_at)
      execute function chaos_job();

    create function chaos_block() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
    declare
      control chaos_control;
    begin
      if tg_op = 'INSERT' then
        select * into control from chaos_control;
        if control.refuse is not null and random() < control.share then
          raise exception 'refused by chaos' using errcode = control.refuse;
        end if;
        insert into chaos_effects (kind, block, hash) values ('stored', new.number, new.hash);
      elsif tg_op = 'DELETE' then
        insert into chaos_effects (kind, block, hash) values ('removed', old.number, old.hash);
      elsif tg_op = 'TRUNCATE' then
        insert into chaos_effects (kind) values ('truncated');
      else
        insert into chaos_effects (kind, block, hash) values ('altered', new.number, new.hash);
      end if;
      return null;
    end $$;
    create trigger chaos_block after insert or delete or update of number, hash on blocks
      for each row execute function chaos_block();
    create trigger chaos_blocks after truncate on blocks for each statement execute function chaos_block();

    -- Runs inside COMMIT: the client has sent it, and has no answer yet.
    create function chaos_gate() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
    begin
      if (select gate from chaos_control) then
        perform pg_advisory_xact_lock_shared(${gateLock});
      end if;
      return null;
    end $$;
    create constraint trigger chaos_gate after insert on blocks deferrable initially deferred
      for each row execute function chaos_gate();`);
}

/** The effects after `after`, in order. Complete only while no transaction is open: ids are taken before commits. */
export async function effectsAfter(pool: pg.Pool, after: number, limit: number): Promise<Effect[]> {
  const { rows } = await pool.query<Effect>(
    `select id::float8 as id, txid::text as txid, kind, block::float8 as block, job_id::float8 as "jobId",
       old_status as "oldStatus", new_status as "newStatus", old_worker as "oldWorker", old_claims as "oldClaims",
       worker, claims, '0x' || encode(hash, 'hex') as hash, who
     from chaos_effects where id > $1 order by id limit $2`,
    [after, limit],
  );
  return rows;
}
