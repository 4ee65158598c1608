// What a chain and its nodes do: reorgs, every fault of the fixture node, lies, and nobody at home.

import { setTimeout as sleep } from "node:timers/promises";
import type {
  BatchRefusal,
  Faults,
  MutationKind,
  NotYet,
  Refusal,
} from "../../../bench/fixture-node/protocol.js";
import type { Random } from "../../../bench/fixture-node/random.js";
import { mark, measure } from "../recovery.js";
import { needsProof, type Scenario } from "../scenario.js";

export const reorgStorm: Scenario = {
  name: "reorg-storm",
  about: "one reorg after the other, deep and shallow ones, and back",
  takes: [],
  weight: 3,
  async inject(world, random) {
    for (let left = 1 + random.below(5); left > 0; left -= 1) {
      const depth = 1 + random.below(random.chance(0.2) ? 40 : 10);
      const undone = await world.load.reorg(depth, depth + random.below(4) - (random.chance(0.2) ? 1 : 0));
      if (undone > 0) world.tally.fault("reorg");
      await sleep(random.below(250));
    }
  },
};

type Fault = (random: Random) => Faults;

const faults: Record<string, Fault> = {
  "lags behind": (random) => ({ headLag: 1 + random.below(6) }),
  "refuses connections": () => ({ down: "refused" }),
  "resets connections": () => ({ down: "reset" }),
  "is slow": (random) => ({ latencyMs: 20 + random.below(300), jitterMs: random.below(300) }),
  "limits rates by status 429": () => ({ rateLimit: { perSecond: 15, answer: 429 } }),
  "limits rates by an error": () => ({ rateLimit: { perSecond: 15, answer: -32005 } }),
  "answers with status 500": () => ({ errors: { rate: 0.5, answer: 500 } }),
  "answers with errors": () => ({ errors: { rate: 0.5, answer: -32000 } }),
  "never answers": () => ({ hang: true }),
  "never answers for receipts": () => ({ hang: ["eth_getBlockReceipts"] }),
  "has no eth_getBlockReceipts": () => ({ lacks: ["eth_getBlockReceipts"] }),
  "has no finalized tag": () => ({ lacks: ["finalized", "safe"] }),
  "forgets orphans": () => ({ forgetsOrphans: true }),
  "tells of a head far above": (random) => ({ falseHead: 1_000 + random.below(1_000_000_000) }),
  "serves another chain after a reconnect": () => ({ otherChain: 5 }),
  "pushes no heads": () => ({ heads: { silent: true } }),
  "pushes heads twice": () => ({ heads: { duplicate: true } }),
  "pushes heads out of order": () => ({ heads: { outOfOrder: true } }),
  "leaves heads out": () => ({ heads: { missingEvery: 2 } }),
  "takes small batches only": (random) => ({
    lacks: ["eth_getBlockReceipts"],
    batchLimit: 1 + random.below(3),
    batchRefusal: random.pick(batchRefusals),
  }),
  "refuses every call in words of its own": (random) => ({ refusal: random.pick(refusals) }),
  "refuses receipts in words of its own": (random) => ({
    refusal: { ...random.pick(refusals), methods: ["eth_getBlockReceipts"] },
  }),
  "announces heads that it does not have in full": (random) => ({ notYet: random.pick(notYets) }),
};

const batchRefusals: readonly BatchRefusal[] = [
  "object",
  "first-id",
  "each",
  "tail",
  "http-500",
  "http-413",
  "closed",
];

const refusals: readonly Refusal[] = [
  { code: -32603, message: "Internal error" },
  { status: 500, code: -32603, message: "Internal error" },
  { code: -32001, message: "Unable to complete request at this time." },
  { code: -32012, message: "credits limited to 6000/sec" },
  { code: -32000, message: "header not found" },
  { status: 403, code: -32600, message: "Monthly capacity limit exceeded." },
  { status: 530, body: "error code: 1033" },
  { body: "<html><body>We will be back soon.</body></html>" },
  { body: "" },
];

const notYets: readonly NotYet[] = [
  { blocks: 2, block: "null" },
  { blocks: 2, receipts: "null" },
  { blocks: 2, receipts: "empty" },
  { blocks: 2, receipts: "few" },
  { blocks: 2, receipts: "wrong" },
  { blocks: 2, block: { code: -32000, message: "cannot query unfinalized data" } },
];

type Lie = MutationKind & { method: string };

const lies: Record<string, Lie> = {
  "loses a log and hides it": { kind: "drop-log", method: "eth_getBlockReceipts", hidden: true },
  "loses a log": { kind: "drop-log", method: "eth_getBlockReceipts" },
  "loses a receipt": { kind: "drop-receipt", method: "eth_getBlockReceipts" },
  "changes a byte of a log": { kind: "change-log-byte", method: "eth_getBlockReceipts" },
  "answers with another id": { kind: "wrong-id", method: "*" },
  "answers null": { kind: "null-result", method: "*" },
  "answers nothing": { kind: "missing-result", method: "*" },
  "answers about another block": { kind: "other-number", offset: 1, method: "eth_getBlockByNumber" },
  "cuts its JSON": { kind: "truncated-json", method: "*" },
  "answers no JSON": { kind: "not-json", method: "*" },
  "answers a page of HTML": { kind: "html-502", method: "*" },
  "answers with status 500": { kind: "http-500", method: "*" },
  "shows a page with status 200": { kind: "maintenance", method: "*" },
  "closes the connection": { kind: "closed", method: "*" },
  "answers an empty list": { kind: "empty-list", method: "eth_getBlockReceipts" },
  "answers an object for a list": { kind: "first-alone", method: "eth_getBlockReceipts" },
  "fails to find a transaction": {
    kind: "error",
    code: -32000,
    message: "failed to find transaction in block",
    method: "eth_getBlockReceipts",
  },
  "nests deeply": { kind: "deep-nesting", method: "eth_getBlockReceipts" },
  "nests 40 MB deep": { kind: "deep-nesting", depth: 20_000_000, method: "eth_getBlockByNumber" },
  "answers 20 million objects": { kind: "many-values", values: 20_000_000, method: "eth_getBlockReceipts" },
  "answers 70 MB": { kind: "huge-body", bytes: 70_000_000, method: "eth_getBlockReceipts" },
  "changes a value": {
    kind: "set",
    path: "transactions[0].value",
    value: "0x1",
    method: "eth_getBlockByNumber",
  },
};

export const nodeFaults: Scenario = {
  name: "node-faults",
  about:
    "one endpoint does everything wrong that the fixture node can do, and tells lies, while the other is honest",
  takes: ["node"],
  weight: 6,
  unable: needsProof,
  async inject(world, random) {
    const { node, tally } = world;
    const endpoint = random.below(2);
    try {
      for (let left = 1 + random.below(2); left > 0; left -= 1) {
        const kind = random.pick(Object.keys(faults));
        const fault = faults[kind];
        if (fault === undefined) continue;
        await node.setFaults(fault(random), endpoint);
        tally.fault(`node ${kind}`);
      }
      for (let left = random.below(3); left > 0; left -= 1) {
        const kind = random.pick(Object.keys(lies));
        const lie = lies[kind];
        if (lie === undefined) continue;
        await node.mutate({ ...lie, count: 1 + random.below(4) }, endpoint);
        tally.fault(`node ${kind}`);
      }
      if (random.chance(0.2)) {
        const branch = `lie-${random.uint32()}`;
        await node.fork({ branch, depth: 1 + random.below(2), length: 3 + random.below(3) });
        await node.setFaults({ branch }, endpoint);
        tally.fault("node on a branch of its own");
      }
      if (random.chance(0.3)) {
        await node.dropWebSockets(endpoint);
        tally.fault("node drops its WebSockets");
      }
      await sleep(200 + random.below(1_300));
    } finally {
      await node.clearFaults(endpoint);
    }
  },
};

export const lyingNode: Scenario = {
  name: "lying-node",
  about: "an endpoint that leaves out one log, with everything around it made to fit",
  takes: ["node"],
  weight: 1,
  unable: needsProof,
  async inject(world, random) {
    const endpoint = random.below(2);
    await world.node.mutate(
      { kind: "drop-log", method: "eth_getBlockReceipts", hidden: true, count: 1 },
      endpoint,
    );
    world.tally.fault("node lies about one log");
    await sleep(100 + random.below(500));
  },
};

export const otherChain: Scenario = {
  name: "other-chain",
  about:
    "behind an endpoint's URL another chain answers, after every connection to it was made again; and back",
  takes: ["node"],
  weight: 1,
  unable: needsProof,
  async inject({ node, tally }, random) {
    const endpoint = random.below(2);
    try {
      // Its blocks at the same heights are well-formed, and prove themselves.
      await node.setFaults({ otherChain: 5 + random.below(3) }, endpoint);
      tally.fault("node serves another chain");
      await sleep(500 + random.below(2_500));
    } finally {
      await node.clearFaults(endpoint);
    }
  },
};

export const endpointsDown: Scenario = {
  name: "endpoints-down",
  about: "every endpoint is away at once, for seconds, or refuses every call in words of its own",
  takes: ["node"],
  weight: 1,
  async inject(world, random) {
    const { node } = world;
    try {
      const away: Faults[] = [{ down: "refused" }, { down: "reset" }, { hang: true }];
      await node.setFaults(random.chance(0.5) ? random.pick(away) : { refusal: random.pick(refusals) });
      world.tally.fault("every endpoint away");
      await sleep(500 + random.below(4_000));
    } finally {
      await node.clearFaults();
    }
    const from = await mark(world);
    await measure(world, from, {
      what: "endpoints back, to the next completion",
      since: world.clock(),
      wanted: { event: "completion" },
    });
  },
};
