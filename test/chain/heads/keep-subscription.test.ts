// One subscription on one endpoint: what it says, what its silence means, and when it is made again.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Endpoint } from "../../../src/chain/endpoint/endpoint.js";
import type { SubscriptionListener } from "../../../src/chain/endpoint/wire.js";
import { BlockRhythm } from "../../../src/chain/heads/block-rhythm.js";
import { keepSubscription } from "../../../src/chain/heads/keep-subscription.js";
import { waitFor } from "../../support/process.js";

const header = (number: number) => ({
  number: `0x${number.toString(16)}`,
  hash: `0x${String(number).padStart(64, "0")}`,
  parentHash: `0x${"cd".repeat(32)}`,
  timestamp: "0x1",
});

function keep(t: TestContext, { refuse = 0, pollMs = 600_000 } = {}) {
  const listeners: SubscriptionListener[] = [];
  const heads: string[] = [];
  const states: boolean[] = [];
  const lost: string[] = [];
  let head = 10;
  let refused = 0;
  let ended = 0;
  const endpoint = {
    name: "node",
    request: async () => header(head),
    async subscribe(params: string[], listener: SubscriptionListener) {
      assert.deepEqual(params, ["newHeads"]);
      if (refused < refuse) {
        refused += 1;
        throw new Error("it cannot push now");
      }
      listeners.push(listener);
      const end = (): void => {
        ended += 1;
      };
      return { end };
    },
  } as unknown as Endpoint;
  const end = new AbortController();
  const done = keepSubscription(endpoint, {
    rhythm: new BlockRhythm(),
    pollMs,
    signal: end.signal,
    ready: async () => {},
    onHead: ({ number }, channel) => void heads.push(`${channel} ${number}`),
    onState: (isPushing) => void states.push(isPushing),
    onLost: (reason) => void lost.push(reason),
  });
  const stop = async (): Promise<void> => {
    end.abort();
    await done;
  };
  t.after(stop);
  return {
    heads,
    states,
    lost,
    listeners,
    stop,
    ended: () => ended,
    setHead: (number: number) => {
      head = number;
    },
    subscribed: (times: number) =>
      waitFor(() => listeners.length >= times, { what: `subscription ${times}` }),
  };
}

test("what is pushed is passed on, and what was there before it is looked at once", async (t) => {
  const { heads, states, listeners, subscribed, stop, ended } = keep(t);
  await subscribed(1);
  await waitFor(() => heads.length === 1, { what: "the look" });
  assert.deepEqual(states, [], "nothing was pushed yet");
  listeners[0]?.onMessage(header(11));
  listeners[0]?.onMessage(header(12));
  assert.deepEqual(heads, ["look 10", "push 11", "push 12"]);
  assert.deepEqual(states, [true]);
  await stop();
  assert.deepEqual(states, [true, false]);
  assert.equal(ended(), 1);
});

test("a subscription that is lost, or pushes what is no head, is ended and made again; what it says then is in vain", async (t) => {
  for (const lose of [
    (listener: SubscriptionListener) => listener.onLost("the socket closed"),
    (listener: SubscriptionListener) => listener.onMessage({ number: "eleven" }),
  ]) {
    const { heads, lost, listeners, subscribed, stop, ended } = keep(t);
    await subscribed(1);
    const [first] = listeners;
    assert(first !== undefined);
    lose(first);
    await subscribed(2);
    assert.match(lost[0] ?? "", /^node: the subscription is lost: /);
    assert.equal(ended(), 1);
    first.onMessage(header(11));
    listeners[1]?.onMessage(header(12));
    assert(!heads.includes("push 11"));
    assert(heads.includes("push 12"));
    await stop();
  }
});

test("a subscription that is refused is tried again until it is there, and each refusal is told", async (t) => {
  const { lost, subscribed } = keep(t, { refuse: 2 });
  await subscribed(1);
  assert.deepEqual(lost, Array(2).fill("node: no subscription: it cannot push now"));
});

test("a silent subscription whose endpoint has a head that was not pushed is dead", async (t) => {
  const { lost, setHead, heads, subscribed } = keep(t, { pollMs: 1 });
  await subscribed(1);
  await waitFor(() => heads.length === 1, { what: "the first look" });
  setHead(11);
  await subscribed(2);
  assert.deepEqual(lost, ["node: the subscription is lost: head 11 was not pushed"]);
});

test("a silent subscription of a chain that stands still lives", async (t) => {
  const { lost, heads, listeners, subscribed } = keep(t, { pollMs: 1 });
  await subscribed(1);
  await waitFor(() => heads.length === 3, { what: "two looks into the silence" });
  assert.deepEqual([lost, listeners.length], [[], 1]);
});
