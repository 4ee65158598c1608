import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { checkChainId } from "../chain/chain-id.js";
import { fetchChainId, fetchHead } from "../chain/endpoint/fetch-head.js";
import { type Endpoints, endpointsOf } from "../chain/endpoints.js";
import { requireKeys } from "../config/load.js";
import { EndpointUnavailableError } from "../errors.js";
import { readHead } from "../queue/head.js";
import { span } from "../wording.js";
import type { Session } from "./session.js";

/** Waits between two looks while no endpoint answers, in milliseconds: an outage of a moment ends no command. */
const waitsMs = [200, 400, 800, 1_600];
/** So many looks are made in any case, however long each takes: one that timed out on a busy machine says little. */
const fewestLooks = 3;
/** No further look begins later than this after the first one. */
const patienceMs = 6_000;

/**
 * The chain's newest block, as the endpoint that is furthest knows it, and how many endpoints did not tell. For commands
 * that a person waits for: throws an EndpointUnavailableError with what was seen when none of them does within a few
 * seconds, and a ConfigError when one serves another chain than the schema holds, or than the others.
 */
export async function reachChain(
  session: Session,
  pool: pg.Pool,
): Promise<{ head: number; unreached: number }> {
  const { rpc } = session.config;
  requireKeys(session.config, ["rpc.urls"]);
  const endpoints = endpointsOf(rpc, session.log);
  try {
    const { reached, failures } = await askUntilReached(endpoints);
    for (const reason of failures) process.stderr.write(`${session.redact(`not reachable: ${reason}`)}\n`);
    const holds = (await readHead(pool))?.chainId ?? reached[0].serves;
    for (const { endpoint, serves } of reached) checkChainId({ endpoint, serves, holds });
    return { head: Math.max(...reached.map(({ head }) => head)), unreached: failures.length };
  } finally {
    await endpoints.close();
  }
}

interface Reached {
  endpoint: string;
  serves: number;
  head: number;
}

/** Asks all of them, again and again, until one answers; who does not has a reason. */
async function askUntilReached(
  endpoints: Endpoints,
): Promise<{ reached: [Reached, ...Reached[]]; failures: string[] }> {
  const started = performance.now();
  for (let look = 0; ; look += 1) {
    const answers = await Promise.allSettled(
      endpoints.all.map(async (endpoint): Promise<Reached> => {
        const [serves, head] = await Promise.all([fetchChainId(endpoint), fetchHead(endpoint)]);
        return { endpoint: endpoint.name, serves, head: head.number };
      }),
    );
    const failures = answers.flatMap((answer) =>
      answer.status === "rejected" ? [reasonOf(answer.reason)] : [],
    );
    const [first, ...others] = answers.flatMap((answer) =>
      answer.status === "fulfilled" ? [answer.value] : [],
    );
    if (first !== undefined) return { reached: [first, ...others], failures };
    const waitMs = waitsMs[look];
    const elapsedMs = performance.now() - started;
    const isOver = look + 1 >= fewestLooks && elapsedMs + (waitMs ?? 0) > patienceMs;
    if (waitMs === undefined || isOver) {
      const asked = `${look + 1} times in ${span(elapsedMs / 1_000)}`;
      throw new EndpointUnavailableError(
        `rpc.urls: no endpoint serves (asked ${asked}): ${failures.join("; ")}`,
      );
    }
    await sleep(waitMs);
  }
}

// Without its causes: viem's messages repeat the request over many lines.
function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
