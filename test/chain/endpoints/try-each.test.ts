// Which endpoint works next, and what a set of failures means. Real members, whose endpoints do what the test says.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Endpoint } from "../../../src/chain/endpoint/endpoint.js";
import { HedgeBudget } from "../../../src/chain/endpoints/hedge-budget.js";
import { Member } from "../../../src/chain/endpoints/member.js";
import { type TryOptions, tryEach } from "../../../src/chain/endpoints/try-each.js";
import { VerificationError } from "../../../src/chain/verify/verification-error.js";
import {
  BadResponseError,
  BlockNotFoundError,
  BlockUnavailableError,
  ConfigError,
  EndpointError,
  EndpointUnavailableError,
  RateLimitedError,
} from "../../../src/errors.js";

interface Made {
  member: Member;
  /** Answers nothing, not even its chain. */
  isDown: boolean;
}

function make(name: string, { chainId = 1 } = {}): Made {
  const capabilities = { finalized: true, safe: true, receiptsBy: "hash", batchSize: 1, lowestBlock: 0 };
  const head = {
    number: "0x64",
    hash: `0x${"ab".repeat(32)}`,
    parentHash: `0x${"cd".repeat(32)}`,
    timestamp: "0x1",
  };
  const endpoint = {
    name,
    weight: 1,
    capabilities,
    learn: (found: object) => void Object.assign(capabilities, found),
    load: { inFlight: 0, waiting: 0, limit: 10, latencyMs: undefined },
    request: async (method: string) => {
      if (made.isDown) throw new EndpointUnavailableError(`${name} is down`);
      return method === "eth_chainId" ? `0x${chainId}` : head;
    },
    requestBatch: async () => [],
  } as unknown as Endpoint;
  const admit = (serves: number) => (serves === 1 ? null : `${name} serves chain ${serves}`);
  const made: Made = { member: new Member(endpoint, 1, admit), isDown: false };
  return made;
}

type Work = (name: string, signal: AbortSignal) => Promise<string> | string;

/** Runs work on these; whom it ran on, in order, and whose failures were told. */
async function run(made: readonly Made[], work: Work, options: TryOptions = {}, hedges = new HedgeBudget()) {
  const asked: string[] = [];
  const told: string[] = [];
  const outcome = tryEach<string>(
    {
      members: made.map(({ member }) => member),
      hedges,
      noSayAfterMs: 600_000,
      onFailure: ({ name }) => void told.push(name),
    },
    async ({ name }, signal) => {
      asked.push(name);
      return work(name, signal);
    },
    options,
  );
  const [settled] = await Promise.allSettled([outcome]);
  return {
    value: settled.status === "fulfilled" ? settled.value : undefined,
    error: settled.status === "rejected" ? (settled.reason as unknown) : undefined,
    asked,
    told,
  };
}

const fails =
  (error: Error): Work =>
  () =>
    Promise.reject(error);
const names = ["a", "b", "c"];

test("where one fails the next is asked, each once, and each failure is told", async () => {
  const { value, asked, told } = await run(
    names.map((name) => make(name)),
    (name) => {
      if (name === "c") return "done";
      throw new EndpointError(`${name} refuses`);
    },
  );
  assert.equal(value, "done");
  assert.deepEqual(asked, names);
  assert.deepEqual(told, ["a", "b"]);
});

test("those that are excepted, or have pruned the block, are not asked", async () => {
  const made = names.map((name) => make(name));
  made[1]?.member.endpoint.learn({ lowestBlock: 50 });
  const { asked } = await run(made, (name) => name, { except: ["a"], block: 7 });
  assert.deepEqual(asked, ["c"]);
});

test("one that serves another chain is refused for good; where all do, the configuration is wrong", async () => {
  const made = [make("a", { chainId: 5 }), make("b")];
  assert.deepEqual((await run(made, (name) => name)).asked, ["b"]);
  assert.deepEqual((await run(made, (name) => name)).asked, ["b"]);
  const { error } = await run([make("a", { chainId: 5 })], (name) => name);
  assert.deepEqual(error, new ConfigError("rpc.urls: a serves chain 5"));
});

test("words that do not tell whether it is down are asked about: one that serves is asked once more", async () => {
  const unclear = new EndpointError("try later", { refusal: "unclear" });
  let tries = 0;
  const { value, asked } = await run([make("a")], () => {
    tries += 1;
    if (tries === 1) throw unclear;
    return "done";
  });
  assert.deepEqual([value, asked], ["done", ["a", "a"]]);
});

test("one that does not even tell its chain is away, whatever it said of the block; nobody is blamed", async () => {
  const made = make("a");
  await run([made], () => "proven");
  const { error } = await run([made], () => {
    made.isDown = true;
    throw new EndpointError("try later", { refusal: "unclear" });
  });
  assert(error instanceof EndpointUnavailableError);
  assert.equal(error.facts.refusal, "unavailable");
});

test("one that serves but drops this work alone makes the block wait, and not itself", async () => {
  const made = make("a");
  const { error } = await run([made], fails(new EndpointUnavailableError("connection reset")));
  assert(error instanceof BlockUnavailableError);
  assert.equal(made.member.health.isResting, false);
});

test("an error about the block tells more than one about a connection; while others are away, it waits for their word", async () => {
  const [a, b] = [make("a"), make("b")];
  const bad = new BadResponseError({ field: "hash", expected: "a hash", actual: "nothing" });
  const work: Work = (name) => {
    if (name === "a") throw bad;
    b.isDown = true;
    throw new EndpointUnavailableError("b is down");
  };
  const { error } = await run([a, b], work);
  assert(error instanceof BlockUnavailableError, String(error));
  assert.match(error.message, /expected a hash.*waiting for the word of b, which does not answer/);
  assert.equal((await run([make("a")], fails(bad))).error, bad);
});

test("a block that an endpoint did not have and another had makes the first one ask later; where nobody had it, nobody lags", async () => {
  const [a, b] = [make("a"), make("b")];
  await run([a, b], (name) => (name === "a" ? Promise.reject(new BlockNotFoundError("none")) : name), {
    block: 7,
  });
  assert.deepEqual([a.member.mayHave(7), a.member.mayHave(6), b.member.mayHave(7)], [false, true, true]);
  const [c, d] = [make("c"), make("d")];
  const { error } = await run([c, d], fails(new BlockNotFoundError("none")), { block: 7 });
  assert(error instanceof BlockNotFoundError);
  assert.deepEqual([c.member.mayHave(7), d.member.mayHave(7)], [true, true]);
});

test("what an endpoint has pruned is learnt, but not of the newest blocks", async () => {
  const pruned = new EndpointError("missing trie node", { pruned: true });
  const made = make("a");
  await run([made], fails(pruned), { block: 95 });
  assert.equal(made.member.endpoint.capabilities.lowestBlock, 0);
  await run([made], fails(pruned), { block: 7 });
  assert.equal(made.member.endpoint.capabilities.lowestBlock, 8);
  const { error, asked } = await run([made], (name) => name, { block: 7 });
  assert.deepEqual(asked, []);
  assert.match(String(error), /no endpoint keeps block 7: it is pruned everywhere/);
});

test("one that is contradicted by proof is put aside; where all are, it is the block that is special", async () => {
  const lie = (name: string) =>
    new VerificationError({
      endpoint: name,
      block: 7,
      field: "hash",
      expected: "0x1",
      actual: "0x2",
    } as never);
  const [a, b] = [make("a"), make("b")];
  await run([a, b], (name) => (name === "a" ? Promise.reject(lie(name)) : name));
  assert.equal(a.member.health.isAside, true);
  const [c, d] = [make("c"), make("d")];
  const { error } = await run([c, d], (name) => Promise.reject(lie(name)));
  assert(error instanceof VerificationError);
  assert.deepEqual([c.member.isOpen, d.member.isOpen], [true, true]);
});

test("one that asks us to slow down is asked again when a short rest is over; a long one is told instead", async () => {
  let tries = 0;
  const { value, asked } = await run([make("a")], () => {
    tries += 1;
    if (tries === 1) throw new RateLimitedError("slow down", { retryAfterMs: 20 });
    return "done";
  });
  assert.deepEqual([value, asked], ["done", ["a", "a"]]);
  const made = make("a");
  const { error } = await run([made], fails(new RateLimitedError("slow down", { retryAfterMs: 60_000 })));
  assert(error instanceof RateLimitedError);
  const again = await run([made], (name) => name);
  assert(again.error instanceof EndpointUnavailableError);
  assert.match(again.error.message, /a rests: slow down/);
  assert(Number(again.error.facts.retryAfterMs) > 50_000);
});

/** Two endpoints of which the first to be asked never answers by itself. */
async function slowFirst(hedges: HedgeBudget) {
  const ended: string[] = [];
  let first: string | undefined;
  let free = (): void => {};
  const made = [make("a"), make("b")];
  const outcome = run(
    made,
    (name, signal) => {
      first ??= name;
      if (name !== first) return name;
      return new Promise((resolve, reject) => {
        free = () => resolve(name);
        signal.addEventListener("abort", () => {
          ended.push(name);
          reject(signal.reason);
        });
      });
    },
    {},
    hedges,
  );
  return { outcome, ended, free: () => free() };
}

test("beside one that takes unusually long a second works, the faster one counts, and the slower is cancelled", async () => {
  const { outcome, ended } = await slowFirst(new HedgeBudget());
  const { value, asked } = await outcome;
  assert.equal(asked.length, 2);
  assert.equal(value, asked[1]);
  assert.deepEqual(ended, [asked[0]]);
});

test("the caller's end is everybody's, with the caller's reason", async () => {
  const end = new AbortController();
  const reason = new Error("no longer wanted");
  const { error } = await run(
    [make("a"), make("b")],
    (_, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
        end.abort(reason);
      }),
    { signal: end.signal },
  );
  assert.equal(error, reason);
});

test("without any other endpoint that is said", async () => {
  const { error } = await run([make("a")], (name) => name, { except: ["a"] });
  assert.match(String(error), /no other endpoint is configured/);
});
