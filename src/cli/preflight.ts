import type pg from "pg";
import { checkChainId } from "../chain/chain-id.js";
import { fetchChainId, fetchHead } from "../chain/endpoint/fetch-head.js";
import { type Endpoints, endpointsOf } from "../chain/endpoints.js";
import { connectionOptions } from "../child/connections.js";
import { readDecodeSettings } from "../config/decode-settings.js";
import { isRefusedConnection } from "../db/database-error.js";
import { findObstacle } from "../db/find-obstacle.js";
import { createPool } from "../db/pool.js";
import { findSessionFault, findWrongPoolSettings } from "../db/prove-session.js";
import { findUnapplied } from "../decode/registry.js";
import { describeError, dispositionOf } from "../errors.js";
import { undoMissedReorgs } from "../orchestrator/undo-missed-reorgs.js";
import { dependents } from "../pipeline/dependents.js";
import { readHead } from "../queue/head.js";
import { reachChain } from "./reach-chain.js";
import { type Session, withDatabase } from "./session.js";
import { obstacleError, poolerError, sessionFaultError, wrongSettingsError } from "./session-faults.js";

/** What was seen of the chain before work begins; null: nobody could tell. */
export interface SeenChain {
  chainId: number | null;
  /** Only asked for where a person reads it. */
  head: number | null;
}

/**
 * Looks at every endpoint before work begins: throws a ConfigError when one serves another chain than
 * the schema holds, or than the others. One that is down is logged and left to the workers, which wait.
 */
export async function checkEndpoints(session: Session, pool: pg.Pool): Promise<SeenChain> {
  const asksHead = session.logStyle.pretty !== undefined;
  const endpoints: Endpoints = endpointsOf(session.config.rpc, session.log);
  try {
    let holds = (await readHead(pool))?.chainId ?? null;
    let head: number | null = null;
    for (const endpoint of endpoints.all) {
      try {
        const serves = await fetchChainId(endpoint);
        holds ??= serves;
        checkChainId({ endpoint: endpoint.name, serves, holds });
        if (asksHead) head = Math.max(head ?? 0, (await fetchHead(endpoint)).number);
      } catch (error) {
        if (dispositionOf(error) === "fatal-process") throw error;
        session.log.warn({ endpoint: endpoint.name, err: error }, "this endpoint does not answer yet");
      }
    }
    return { chainId: holds, head };
  } finally {
    await endpoints.close();
  }
}

/**
 * Proves that a daemon's sessions are sessions, also through whatever stands between it and PostgreSQL, and,
 * with database.listen_url, that its transactions are what they should be through the pooler. Throws a
 * ConfigError that says what to set when they are not. What cannot be reached is logged.
 */
export async function checkSessions(session: Session, pool: pg.Pool): Promise<void> {
  const options = connectionOptions(session.config, `cli ${process.pid}`);
  const pooler = options.poolUrl === undefined ? undefined : createPool({ ...options, min: 0, max: 1 });
  try {
    if (pooler !== undefined) {
      const wrong = await findWrongPoolSettings(pooler, options);
      if (wrong.length > 0) throw wrongSettingsError(wrong);
    }
    const fault = await findSessionFault(options, pooler ?? pool);
    if (fault !== null) throw sessionFaultError(session.config, fault);
    const obstacle = await findObstacle(pool);
    if (obstacle !== null) throw obstacleError(obstacle);
  } catch (thrown) {
    const error = poolerError(thrown);
    if (dispositionOf(error) !== "wait") throw error;
    session.log.warn({ err: error }, "whether the database keeps sessions is not known yet");
  } finally {
    await pooler?.end();
  }
}

/**
 * Whether a daemon could work here, for a person who asks: the sessions, the schema, and the endpoints against it. Changes
 * nothing. Throws what is wrong, and what cannot be reached: a database, or every endpoint. Returns how many
 * endpoints could not be reached.
 */
export async function provePlace(session: Session): Promise<{ unreached: number }> {
  return withDatabase(session, async (pool) => {
    await checkSessions(session, pool);
    const { unreached } = await reachChain(session, pool);
    return { unreached };
  });
}

/**
 * Checks the sessions, the schema, and the endpoints against it, and undoes a reorg that happened meanwhile. What cannot
 * be reached is logged, and left to the daemon, which waits.
 */
export async function checkPlace(session: Session): Promise<SeenChain> {
  try {
    return await withDatabase(session, async (pool) => {
      await checkSessions(session, pool);
      const place = await checkEndpoints(session, pool);
      await undoMissedReorgsWithin(session, pool);
      await tellUnapplied(session, pool);
      return place;
    });
  } catch (error) {
    if (dispositionOf(error) !== "wait" || isRefusedConnection(error)) throw error;
    session.log.warn(
      { reason: session.redact(describeError(error)) },
      "the database cannot be reached yet; waiting for it",
    );
    return { chainId: null, head: null };
  }
}

/** What is applied decides what is decoded: who has changed the configuration alone wonders why nothing comes. */
async function tellUnapplied({ config, log }: Session, pool: pg.Pool): Promise<void> {
  if (config.decode === "") return;
  const contracts = await findUnapplied(pool, readDecodeSettings(config.decode));
  if (contracts.length > 0)
    log.warn(
      { contracts },
      `decode: not applied as it is configured: ${contracts.join(", ")}; blocks are stored without these rows until blockmill decode apply has run`,
    );
}

async function undoMissedReorgsWithin({ config, log }: Session, pool: pg.Pool): Promise<void> {
  const endpoints = endpointsOf(config.rpc, log);
  try {
    await undoMissedReorgs({ pool, dependents, endpoints, config, log });
  } catch (error) {
    if (dispositionOf(error) === "fatal-process") throw error;
    log.warn({ err: error }, "whether the chain was reorganised meanwhile is not known yet");
  } finally {
    await endpoints.close();
  }
}
