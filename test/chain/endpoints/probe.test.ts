import assert from "node:assert/strict";
import { test } from "node:test";
import type { Endpoint } from "../../../src/chain/endpoint/endpoint.js";
import { probeOptional, probeRequired } from "../../../src/chain/endpoints/probe.js";
import { EndpointUnavailableError } from "../../../src/errors.js";

const head = {
  number: "0x7",
  hash: `0x${"ab".repeat(32)}`,
  parentHash: `0x${"cd".repeat(32)}`,
  timestamp: "0x1",
};
const parsed = {
  number: 7,
  hash: head.hash as `0x${string}`,
  parentHash: `0x${"cd".repeat(32)}`,
  timestamp: 1,
} as const;

/** An endpoint that answers as told, and refuses whatever it is not told of. */
function endpointOf(answer: (method: string, params: readonly unknown[]) => unknown): Endpoint {
  return {
    name: "node",
    capabilities: { batchSize: 1 },
    request: async (method: string, params: readonly unknown[]) => {
      const result = answer(method, params);
      if (result instanceof Error) throw result;
      if (result === undefined) throw new Error(`${method} is not known`);
      return result;
    },
  } as unknown as Endpoint;
}

test("an endpoint is of use with a chain and a head; what it answers instead is its own failure, no block's", async () => {
  const good = endpointOf((method) => (method === "eth_chainId" ? "0x5" : head));
  const { chainId, head: found } = await probeRequired(good);
  assert.deepEqual([chainId, found.number], [5, 7]);
  const bad = endpointOf((method) => (method === "eth_chainId" ? "five" : head));
  await assert.rejects(probeRequired(bad), EndpointUnavailableError);
});

test("receipts are asked for by hash where that works, then by an object, then by number", async () => {
  const understands = (form: (block: unknown) => boolean) =>
    endpointOf((method, [block]) => (method === "eth_getBlockReceipts" && form(block) ? [] : undefined));
  const by = async (endpoint: Endpoint) => (await probeOptional(endpoint, parsed)).found.receiptsBy;
  assert.equal(await by(understands(() => true)), "hash");
  assert.equal(await by(understands((block) => block !== head.hash)), "hash-object");
  assert.equal(await by(understands((block) => block === "0x7")), "number");
  assert.equal(await by(understands(() => false)), null);
});

test("a tag that no block has yet is known; one that is refused is lacking", async () => {
  const endpoint = endpointOf((method, [tag]) =>
    method === "eth_getBlockByNumber" && tag === "finalized" ? null : undefined,
  );
  const { found, isSure } = await probeOptional(endpoint, parsed);
  assert.deepEqual([found.finalized, found.safe, isSure], [true, false, true]);
});

test("what was lost to an outage is lacking for now, and not for sure", async () => {
  const outage = new EndpointUnavailableError("it is down", { endpoint: "node" });
  const { found, isSure } = await probeOptional(
    endpointOf((_, [tag]) => (tag === "safe" ? outage : undefined)),
    parsed,
  );
  assert.deepEqual([found.safe, isSure], [false, false]);
});
