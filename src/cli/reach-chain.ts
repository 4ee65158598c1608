import type pg from "pg";
import { checkChainId } from "../chain/chain-id.js";
import { fetchChainId, fetchHead } from "../chain/endpoint/fetch-head.js";
import { endpointsOf } from "../chain/endpoints.js";
import { requireKeys } from "../config/load.js";
import { EndpointUnavailableError } from "../errors.js";
import { readHead } from "../queue/head.js";
import type { Session } from "./session.js";

/**
 * The chain's newest block, as the endpoint that is furthest knows it. For commands that a person waits
 * for: throws an EndpointUnavailableError at once when no endpoint answers, and a ConfigError when one
 * serves another chain than the schema holds, or than the others.
 */
export async function reachChain(session: Session, pool: pg.Pool): Promise<{ head: number }> {
  const { rpc } = session.config;
  requireKeys(session.config, ["rpc.urls"]);
  const endpoints = endpointsOf(rpc, session.log);
  const answers = await Promise.allSettled(
    endpoints.all.map(async (endpoint) => {
      const [serves, head] = await Promise.all([fetchChainId(endpoint), fetchHead(endpoint)]);
      return { endpoint: endpoint.name, serves, head: head.number };
    }),
  );
  await endpoints.close();
  const reached = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
  const failures = answers.flatMap((answer) =>
    answer.status === "rejected" ? [reasonOf(answer.reason)] : [],
  );
  const first = reached[0];
  if (first === undefined) {
    throw new EndpointUnavailableError(
      `rpc.urls: no endpoint answers within rpc.timeout_ms (${rpc.timeout_ms}): ${failures.join("; ")}`,
    );
  }
  for (const reason of failures) process.stderr.write(`${session.redact(`not reachable: ${reason}`)}\n`);
  const holds = (await readHead(pool))?.chainId ?? first.serves;
  for (const { endpoint, serves } of reached) checkChainId({ endpoint, serves, holds });
  return { head: Math.max(...reached.map(({ head }) => head)) };
}

// Without its causes: viem's messages repeat the request over many lines.
function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
