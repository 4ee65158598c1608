import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Endpoint } from "../../../src/chain/endpoint/endpoint.js";
import type { Endpoints } from "../../../src/chain/endpoints.js";
import { followTags, type KnownTags } from "../../../src/chain/heads/follow-tags.js";
import { BlockNotFoundError, EndpointError, EndpointUnavailableError } from "../../../src/errors.js";
import { waitFor } from "../../support/process.js";

interface Node {
  name: string;
  knows: { safe: boolean; finalized: boolean };
  /** What it answers to a tag. */
  answer(tag: string): number | null | Error;
  isDown?: boolean;
}

const header = (number: number) => ({
  number: `0x${number.toString(16)}`,
  hash: `0x${"ab".repeat(32)}`,
  parentHash: `0x${"cd".repeat(32)}`,
  timestamp: "0x1",
});

/** Follows the tags of these nodes, of which the first that is not excepted is asked. */
function follow(t: TestContext, nodes: Node[]) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const asked: string[] = [];
  const all = nodes.map(
    (node): Endpoint =>
      ({
        name: node.name,
        capabilities: node.knows,
        learn: (found: object) => void Object.assign(node.knows, found),
        async request(method: string, [tag]: string[]) {
          if (node.isDown) throw new EndpointUnavailableError(`${node.name} is down`);
          if (method === "eth_chainId") return "0x1";
          asked.push(`${node.name} ${tag}`);
          const answer = node.answer(tag ?? "");
          if (answer instanceof Error) throw answer;
          return answer === null ? null : header(answer);
        },
      }) as unknown as Endpoint,
  );
  const endpoints = {
    all,
    tryEach: async (
      work: (endpoint: Endpoint, signal: AbortSignal) => unknown,
      { except = [] as string[] },
    ) => {
      const endpoint = all.find(({ name }) => !except.includes(name));
      if (endpoint === undefined) throw new EndpointUnavailableError("nobody is left");
      return work(endpoint, new AbortController().signal);
    },
  } as unknown as Endpoints;
  const end = new AbortController();
  const tags: KnownTags[] = [];
  const lost: string[] = [];
  let due = (): void => {};
  const done = followTags(endpoints, {
    onTags: (each) => void tags.push(each),
    onLost: (reason) => void lost.push(reason),
    onDue: (call) => {
      due = call;
    },
    pollMs: 60_000,
    signal: end.signal,
  });
  t.after(async () => {
    end.abort();
    await done;
  });
  /** What was begun is done. */
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 20; i += 1) await new Promise(setImmediate);
  };
  return {
    tags,
    lost,
    asked,
    /** A new head came, and so many seconds passed. */
    async head(seconds: number) {
      due();
      await settle();
      t.mock.timers.tick(seconds * 1_000);
      await settle();
    },
    settle,
  };
}

test("tags are told when they change, and asked for after a head, but not more often than every few seconds", async (t) => {
  let final = 5;
  const node = {
    name: "a",
    knows: { safe: true, finalized: true },
    answer: (tag: string) => (tag === "safe" ? 7 : final),
  };
  const { tags, asked, head, settle } = follow(t, [node]);
  await settle();
  assert.deepEqual(tags, [{ safe: 7, finalized: 5 }]);
  await head(1);
  assert.equal(asked.length, 2, "it was asked a second ago");
  await head(2);
  assert.equal(asked.length, 4);
  assert.equal(tags.length, 1, "nothing changed");
  final = 6;
  await head(3);
  assert.deepEqual(tags[1], { safe: 7, finalized: 6 });
});

test("without a head they are asked for after the longest time between two looks", async (t) => {
  const { asked, settle } = follow(t, [
    { name: "a", knows: { safe: false, finalized: true }, answer: () => 5 },
  ]);
  await settle();
  t.mock.timers.tick(3_000);
  await settle();
  t.mock.timers.tick(59_999);
  await settle();
  assert.equal(asked.length, 1);
  t.mock.timers.tick(1);
  await settle();
  assert.equal(asked.length, 2);
});

test("an endpoint that knows neither tag is passed over; where none knows one, nothing is told", async (t) => {
  const lacking = (name: string): Node => ({
    name,
    knows: { safe: false, finalized: false },
    answer: () => 1,
  });
  const knowing: Node = { name: "b", knows: { safe: false, finalized: true }, answer: () => 5 };
  const some = follow(t, [lacking("a"), knowing]);
  await some.settle();
  assert.deepEqual([some.asked, some.tags], [["b finalized"], [{ finalized: 5 }]]);
  t.mock.timers.reset();
  const none = follow(t, [lacking("a"), lacking("b")]);
  await none.settle();
  assert.deepEqual([none.asked, none.tags, none.lost], [[], [], []]);
});

test("a tag that a living endpoint refuses is learnt to be lacking; a chain without a final block has none", async (t) => {
  const node: Node = {
    name: "a",
    knows: { safe: true, finalized: true },
    answer: (tag) => (tag === "safe" ? new EndpointError("unknown block tag") : null),
  };
  const { tags, settle } = follow(t, [node]);
  await settle();
  assert.deepEqual(node.knows, { safe: false, finalized: true });
  assert.deepEqual(tags, []);
});

test("a block that is said not to be there is none, and lacks nothing", async (t) => {
  const knows = { safe: true, finalized: false };
  const { tags, settle } = follow(t, [
    { name: "a", knows, answer: () => new BlockNotFoundError("none yet") },
  ]);
  await settle();
  assert.deepEqual([knows.safe, tags], [true, []]);
});

test("an endpoint that is down is told of, lacks nothing for it, and is asked again", async (t) => {
  const node: Node = { name: "a", knows: { safe: false, finalized: true }, answer: () => 5, isDown: true };
  const { tags, lost, head, settle } = follow(t, [node]);
  await settle();
  assert.equal(lost.length, 1);
  assert.match(lost[0] ?? "", /a is down/);
  assert.equal(node.knows.finalized, true);
  node.isDown = false;
  await head(3);
  await waitFor(() => tags.length === 1, { what: "the tags" });
});
