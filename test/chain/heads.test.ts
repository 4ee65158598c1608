// Heads as they are pushed and polled, with everything that goes wrong with that.
import assert from "node:assert/strict";
import { after, beforeEach, type TestContext, test } from "node:test";
import { type FollowOptions, followHeads } from "../../src/chain/heads/follow-heads.js";
import type { KnownTags } from "../../src/chain/heads/follow-tags.js";
import type { Head } from "../../src/chain/parse/parse-head.js";
import { startAnvil } from "../support/anvil.js";
import { startFixture } from "../support/fixture.js";
import { patienceMs, waitFor } from "../support/process.js";
import { openEndpoints } from "./open-endpoints.js";

const fixture = await startFixture({ transactions: 1, head: 70, ports: 2 });

after(() => fixture.stop());
beforeEach(async () => {
  await fixture.clearFaults();
  await fixture.autoMine(null);
  await fixture.resetCounters();
});

interface Followed {
  heads: (Head & { endpoint: string; at: number })[];
  tags: KnownTags[];
  lost: string[];
  /** Resolves when a head with this number came. */
  head(number: number): Promise<Head & { endpoint: string; at: number }>;
  stop(): Promise<void>;
}

/** Follows the URLs until the test ends; resolves when the first head has come. */
async function follow(
  t: TestContext,
  urls: string[],
  options: Partial<FollowOptions> = {},
): Promise<Followed> {
  const endpoints = openEndpoints(t, urls);
  const ended = new AbortController();
  const followed: Followed = {
    heads: [],
    tags: [],
    lost: [],
    head: (number) =>
      waitFor(() => followed.heads.find((each) => each.number === number), {
        what: `head ${number}; came: ${followed.heads.map((each) => each.number)}; lost: ${followed.lost}`,
        everyMs: 2,
      }),
    async stop() {
      ended.abort();
      await following;
      await endpoints.close();
    },
  };
  const following = followHeads(endpoints, {
    // No poll in the time that a test waits for.
    pollMs: 10 * patienceMs,
    onHead: (head) => followed.heads.push({ ...head, at: performance.now() }),
    onTags: (tags) => followed.tags.push(tags),
    onLost: (reason) => followed.lost.push(reason),
    signal: ended.signal,
    ...options,
  });
  t.after(() => followed.stop());
  await waitFor(() => followed.heads.length > 0, { what: "a first head" });
  return followed;
}

const numbers = ({ heads }: Followed) => heads.map(({ number }) => number);

test("a head is pushed as soon as there is one", async (t) => {
  const followed = await follow(t, fixture.wsUrls.slice(0, 1));
  await subscribed(1);
  const delays: number[] = [];
  await fixture.resetCounters();
  for (let i = 0; i < 10; i += 1) {
    const { number, hash } = await fixture.mine();
    const minedAt = performance.now();
    const head = await followed.head(number);
    assert.equal(head.hash, hash);
    delays.push(Math.round(head.at - minedAt));
  }
  t.diagnostic(`after ${delays} ms`);
  // Each was waited for before the next: had none been pushed, ten looks would have told of them.
  const looks = (await fixture.counters(0)).calls.eth_getBlockByNumber ?? 0;
  assert.ok(looks < 5, `${looks} looks at the head`);
  assert.equal(new Set(numbers(followed)).size, followed.heads.length);
});

test("two subscriptions tell of each head once", async (t) => {
  const followed = await follow(t, fixture.wsUrls);
  await subscribed(2);
  const { number } = await fixture.mine(5);
  await followed.head(number);
  await fixture.mine();
  await followed.head(number + 1);
  assert.deepEqual(
    numbers(followed).slice(-6),
    [4, 3, 2, 1, 0, -1].map((behind) => number - behind),
  );
});

test("heads that are pushed twice come once; out of order or with holes they come as they come", async (t) => {
  const followed = await follow(t, fixture.wsUrls.slice(0, 1));
  await subscribed(1);
  const at = (await fixture.head()).number;
  await fixture.setFaults({ heads: { duplicate: true } }, 0);
  await fixture.mine(2);
  await followed.head(at + 2);
  await fixture.setFaults({ heads: { outOfOrder: true } }, 0);
  await fixture.mine(2);
  await followed.head(at + 3);
  // In one go: whoever looks at the head because it has been silent for long never sees the one that was left out.
  await fixture.setFaults({ heads: { missingEvery: 2 } }, 0);
  await fixture.mine(4);
  await fixture.setFaults({ heads: {} }, 0);
  await fixture.mine(1);
  await followed.head(at + 9);
  const came = numbers(followed).filter((number) => number > at);
  assert.deepEqual(came.slice(0, 4), [at + 1, at + 2, at + 4, at + 3]);
  assert.equal(came.filter((number) => number === at + 5 || number === at + 6).length, 1);
});

test("the way from A to B and back to A is told of", async (t) => {
  const followed = await follow(t, fixture.wsUrls);
  await subscribed(2);
  const a = await fixture.mine();
  await followed.head(a.number);
  const [before] = await fixture.canonical(a.number, a.number);
  const b = await fixture.reorg({ depth: 1, length: 2 });
  await followed.head(b.number);
  await fixture.switchTo("main");
  await waitFor(() => followed.heads.at(-1)?.hash === before?.hash, { what: "A again" });
  await fixture.mine(3);
  await followed.head(a.number + 3);
});

test("dropped sockets are replaced, and what they missed is told of", async (t) => {
  const followed = await follow(t, fixture.wsUrls.slice(0, 1));
  await subscribed(1);
  await fixture.mine();
  await fixture.dropWebSockets();
  const { number } = await fixture.mine(2);
  await followed.head(number);
  assert.ok(followed.lost.length > 0);
  await subscribed(1);
  const next = await fixture.mine();
  await followed.head(next.number);
});

test("a silent subscription is noticed within seconds and replaced", async (t) => {
  const followed = await follow(t, fixture.wsUrls.slice(0, 1));
  await subscribed(1);
  await followed.head((await fixture.mine()).number);
  await fixture.setFaults({ heads: { silent: true } }, 0);
  const missed = await fixture.mine();
  await followed.head(missed.number);
  await waitFor(() => followed.lost.some((reason) => /was not pushed/.test(reason)), {
    what: "it is noticed",
  });
  await fixture.setFaults({ heads: {} }, 0);
  const next = await fixture.mine();
  await followed.head(next.number);
});

test("without a WebSocket the head is polled as often as blocks come", async (t) => {
  await fixture.autoMine(400);
  const followed = await follow(t, fixture.urls.slice(0, 1));
  await waitFor(() => followed.heads.length >= 6, { what: "six heads" });
  await fixture.resetCounters();
  const from = followed.heads.length;
  await waitFor(() => followed.heads.length >= from + 10, { what: "ten more heads" });
  const polls = (await fixture.counters(0)).calls.eth_getBlockByNumber ?? 0;
  const came = numbers(followed).slice(-10);
  assert.equal((came.at(-1) ?? 0) - (came[0] ?? 0), 9, "none was left out");
  assert.ok(polls <= 70, `${polls} polls for 10 blocks`);
});

test("check_interval bounds the time between two polls", async (t) => {
  await follow(t, fixture.urls.slice(0, 1), { pollMs: 40 });
  await fixture.resetCounters();
  // Without it each poll comes a quarter later than the one before, and the sixtieth after days.
  const polls = async () => (await fixture.counters(0)).calls.eth_getBlockByNumber ?? 0;
  await waitFor(async () => (await polls()) >= 60, { what: "60 polls for a block that does not come" });
});

test("a subscription that cannot be made leaves the polls", async (t) => {
  await fixture.setFaults({ lacks: ["eth_subscribe"] });
  const followed = await follow(t, fixture.wsUrls.slice(0, 1));
  const { number } = await fixture.mine();
  await followed.head(number);
  assert.match(followed.lost[0] ?? "", /no subscription/);
});

test("heads go on when an endpoint goes down, and when all do they come back", async (t) => {
  const followed = await follow(t, [...fixture.wsUrls.slice(0, 1), ...fixture.urls.slice(1)]);
  await fixture.setFaults({ down: "refused" }, 0);
  await followed.head((await fixture.mine()).number);
  await fixture.setFaults({ down: "refused" });
  await fixture.mine();
  await fixture.clearFaults();
  await followed.head((await fixture.mine()).number);
});

test("tags are told of where they are known, when they change", async (t) => {
  await fixture.setFinalityDepth(8);
  await fixture.setFaults({ lacks: ["finalized", "safe"] }, 0);
  const followed = await follow(t, fixture.urls);
  const { number } = await fixture.head();
  await waitFor(() => followed.tags.length > 0, { what: "tags" });
  assert.deepEqual(followed.tags[0], { safe: number - 4, finalized: number - 8 });
  await fixture.mine(2);
  await waitFor(() => followed.tags.length > 1, { what: "tags again" });
  assert.deepEqual(followed.tags[1], { safe: number - 2, finalized: number - 6 });
});

test("where no endpoint knows the tags nothing is told", async (t) => {
  await fixture.setFaults({ lacks: ["finalized", "safe"] });
  const followed = await follow(t, fixture.urls);
  await followed.head((await fixture.mine()).number);
  assert.ok(followed.tags.every((tags) => Object.keys(tags).length === 0));
});

test("an endpoint of another chain is never subscribed to", async (t) => {
  await fixture.setFaults({ chainId: 5 }, 1);
  const endpoints = openEndpoints(t, fixture.wsUrls, { chainId: 1 });
  const ended = new AbortController();
  const from = new Set<string>();
  const following = followHeads(endpoints, {
    pollMs: 30_000,
    onHead: ({ endpoint }) => from.add(endpoint),
    onTags: () => {},
    onLost: () => {},
    signal: ended.signal,
  });
  t.after(() => ended.abort());
  await subscribed(1);
  await fixture.mine(3);
  await waitFor(() => from.size > 0, { what: "heads" });
  ended.abort();
  await following;
  assert.deepEqual([...from], ["a"]);
  assert.equal((await fixture.counters(1)).calls.eth_subscribe, undefined);
});

test("anvil pushes its heads", async (t) => {
  const anvil = await startAnvil({ blockTime: 1 });
  t.after(() => anvil.stop());
  const followed = await follow(t, [anvil.wsUrl]);
  await waitFor(() => followed.heads.length >= 4, { what: "four heads" });
  const came = numbers(followed);
  assert.deepEqual(
    came,
    came.map((_, i) => (came[0] ?? 0) + i),
  );
});

/** Waits until so many subscriptions are there, on an endpoint each. */
async function subscribed(count: number): Promise<void> {
  const alive = async () => {
    let subscriptions = 0;
    for (let endpoint = 0; endpoint < 2; endpoint += 1) {
      subscriptions += (await fixture.counters(endpoint)).webSockets > 0 ? 1 : 0;
    }
    return subscriptions >= count && ((await fixture.counters()).calls.eth_subscribe ?? 0) >= count;
  };
  await waitFor(alive, { what: "subscriptions" });
}
