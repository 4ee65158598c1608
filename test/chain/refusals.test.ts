// What providers and nodes were seen to say instead of an answer, and what each must be taken for.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { type CallFacts, rpcError } from "../../src/chain/endpoint/endpoint-error.js";
import { classifyRefusal, type RefusalClass } from "../../src/chain/endpoint/refusal.js";
import { createUndiciWire } from "../../src/chain/endpoint/undici-wire.js";
import { BlockmillError, type Disposition, dispositionOf } from "../../src/errors.js";
import { projectRoot } from "../support/project.js";
import { failureOf, openEndpoints } from "./open-endpoints.js";

/** A refusal, where it was seen, and what it is. */
interface Seen {
  is: RefusalClass;
  /** A repository's issue or pull request, or a client's source file. */
  seen: string;
  client: string;
  version: string | null;
  method: string;
  status: number;
  batch?: boolean;
  /** Whether the endpoint answers eth_chainId; absent: nobody looked yet. */
  chainIdWorks?: boolean;
  /** Text as it came, or JSON in which "ID" stands for the call's id, and "FIRST" for that of a batch's first call. */
  body: unknown;
}

const folder = path.join(projectRoot, "test/chain/refusals");
const corpus = readdirSync(folder).flatMap((file) => {
  const entries = JSON.parse(readFileSync(path.join(folder, file), "utf8")) as Seen[];
  return entries.map((entry, i) => ({ ...entry, name: `${path.basename(file, ".json")} ${i + 1}` }));
});

/** What follows from each class. */
const dispositions: Record<RefusalClass, Disposition> = {
  "slow-down": "wait",
  unavailable: "wait",
  absent: "not-yet",
  "no-block": "not-yet",
  lacking: "retry",
  request: "retry",
  "too-large": "retry",
  pruned: "retry",
  block: "retry",
  unclear: "retry",
};

/** A server that answers every request so; resolves with its URL. */
async function serve(t: TestContext, { status, body }: Seen): Promise<string> {
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const asked = JSON.parse(text) as { id: number } | { id: number }[];
    const [first] = Array.isArray(asked) ? asked : [asked];
    const answer =
      typeof body === "string" ? body : JSON.stringify(body).replaceAll(/"(ID|FIRST)"/g, String(first?.id));
    response.writeHead(status).end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The error that a call, or the first call of a batch, ends with. */
async function refusalOf(t: TestContext, entry: Seen): Promise<Error> {
  const url = await serve(t, entry);
  if (entry.batch !== true) {
    const [endpoint] = openEndpoints(t, [url]).all;
    return failureOf(Promise.resolve(endpoint?.request(entry.method, ["0x14", false])));
  }
  const wire = createUndiciWire({ url, name: "a", maxResponseBytes: 1_000_000 });
  t.after(() => wire.close());
  const calls = [["0x1"], ["0x2"], ["0x3"]].map((params) => ({ method: entry.method, params }));
  const [answer] = await wire.sendBatch(calls, { timeoutMs: 5_000 });
  assert(answer !== undefined && "error" in answer);
  const facts: CallFacts = { endpoint: "a", method: entry.method, isBatch: true };
  return rpcError(answer.error, facts);
}

test("the corpus has refusals of all kinds, and says where each was seen", () => {
  assert(corpus.length >= 60);
  for (const { name, seen, client } of corpus) assert(/\S+\/\S+/.test(seen) && client !== "", name);
  assert.deepEqual([...new Set(corpus.map(({ is }) => is))].sort(), Object.keys(dispositions).sort());
});

for (const entry of corpus) {
  const { name, client, seen, status, method, is, chainIdWorks } = entry;
  const when =
    chainIdWorks === undefined ? "" : chainIdWorks ? ", while it serves" : ", while it does not serve";
  test(`${name}: what ${client} says to ${method} with HTTP ${status}${when} is ${is} (${seen})`, async (t) => {
    const error = await refusalOf(t, entry);
    assert(error instanceof BlockmillError, String(error));
    if (chainIdWorks === undefined) {
      assert.equal(error.facts.refusal, is, error.message);
      assert.equal(dispositionOf(error), dispositions[is]);
      return;
    }
    assert.equal(error.facts.refusal, "unclear", error.message);
    const { code } = error.facts as { code?: number };
    assert.equal(classifyRefusal({ status, code, text: error.message, method, chainIdWorks }), is);
  });
}
