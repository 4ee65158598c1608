// The direct way on the wire: whole answers from HTTP, plain and gzipped, and from a WebSocket; whose fault it is when
// one is wrong.

import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import type { Mutation } from "../../bench/fixture-node/protocol.js";
import { fetchBlock } from "../../src/chain/endpoint/fetch-block.js";
import type { Endpoints } from "../../src/chain/endpoints.js";
import { fetchProvenBlock } from "../../src/chain/fetch-proven-block.js";
import { createProve } from "../../src/chain/prove-block.js";
import { VerificationError } from "../../src/chain/verify/verification-error.js";
import { computeUnmarked } from "../../src/child/compute-mark.js";
import { decodeTokenTransfers } from "../../src/decode/decode-token-transfers.js";
import { createDirectWay } from "../../src/direct/direct-way.js";
import { createEncoder } from "../../src/store/encode-block.js";
import { toRows } from "../../src/store/to-rows.js";
import { openEndpoints } from "../chain/open-endpoints.js";
import { startFixture } from "../support/fixture.js";

const fixture = await startFixture({ transactions: 150, head: 10, ports: 2, gzip: true });
const wanted = { number: 7, hash: null };
const encoder = createEncoder();
const proving = { level: "roots", recoverSenders: false, onRules: () => {} } as const;
const prove = createProve(proving);
const take = createDirectWay({ ...proving, encoder });

after(() => fixture.stop());
beforeEach(() => fixture.clearFaults());

const fetched = (endpoints: Endpoints) =>
  fetchProvenBlock({
    endpoints,
    prove,
    take,
    compute: computeUnmarked,
    wanted,
    signal: new AbortController().signal,
  });

const ways = {
  "plain answers": { urls: fixture.urls, compress: false },
  "gzipped answers": { urls: fixture.urls, compress: true },
  "a WebSocket": { urls: fixture.wsUrls },
};

for (const [way, { urls, ...options }] of Object.entries(ways)) {
  test(`a block of 150 transactions is taken from ${way}`, async (t) => {
    const endpoints = openEndpoints(t, urls.slice(0, 1), options);
    const [endpoint] = endpoints.all;
    assert(endpoint !== undefined);
    const found = await fetched(endpoints);
    assert("taken" in found);
    assert.equal(found.endpoint, endpoint.name);
    const block = await fetchBlock(endpoint, wanted);
    const verified = prove(block, { endpoint: endpoint.name, chainId: 1 });
    const long = encoder.encode(toRows(block, decodeTokenTransfers(block), verified));
    assert.deepEqual(found.taken.rows.digest, long.digest);
    assert.deepEqual(found.taken.verified, verified);
  });
}

test("an endpoint that lies is named with what is wrong, and another one serves the block", async (t) => {
  const failures: unknown[] = [];
  const endpoints = openEndpoints(t, fixture.urls, { onFailure: (_, error) => failures.push(error) });
  await Promise.all(endpoints.all.map(({ name }) => endpoints.ready(name)));
  const lie = { kind: "set", path: "[3].cumulativeGasUsed", value: "0x5", method: "eth_getBlockReceipts" };
  await fixture.mutate({ ...lie, block: 7, count: 0 } as Mutation, 0);
  // Either may be asked first.
  for (let i = 0; failures.length === 0 && i < 20; i += 1) assert("taken" in (await fetched(endpoints)));
  const [error] = failures;
  assert(error instanceof VerificationError);
  assert.equal(error.facts.field, "receipts[3].cumulativeGasUsed");
});

test("an endpoint that is asked too fast is slowed down, though its answer is well-formed", async (t) => {
  const endpoints = openEndpoints(t, fixture.urls.slice(0, 1));
  const [endpoint] = endpoints.all;
  assert(endpoint !== undefined);
  await fetched(endpoints);
  const before = endpoint.load.limit;
  const slow = { kind: "error", code: -32005, message: "slow", method: "eth_getBlockReceipts", count: 0 };
  await fixture.mutate({ ...slow, block: 7 } as Mutation, 0);
  await assert.rejects(fetchBlock(endpoint, wanted));
  assert(endpoint.load.limit < before);
});
