// The fixture node's head: mined, moved, reorganised, and pushed to subscribers.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { after, beforeEach, test } from "node:test";
import { WebSocket } from "ws";
import { type Fixture, startFixture } from "../support/fixture.js";

interface Head {
  number: string;
  hash: string;
  parentHash: string;
}

const fixture = await startFixture({ transactions: 3, head: 30, finalityDepth: 10, ports: 2 });

after(() => fixture.stop());
beforeEach(() => fixture.clearFaults());

test("tags follow the head", async () => {
  await fixture.setFinalityDepth(10);
  const { number } = await fixture.head();
  const at = async (tag: string) =>
    Number(((await rpc("eth_getBlockByNumber", [tag, false])) as Head).number);
  assert.equal(await at("latest"), number);
  assert.equal(await at("safe"), number - 5);
  assert.equal(await at("finalized"), number - 10);
  assert.equal(await at("earliest"), 0);
  assert.equal(await rpc("eth_getBlockByNumber", [`0x${(number + 1).toString(16)}`, false]), null);
});

test("a mined block is pushed to subscribers, with its parent", async () => {
  const feed = await subscribe(fixture);
  const [before] = await fixture.canonical((await fixture.head()).number, Number.MAX_SAFE_INTEGER);
  const head = await fixture.mine();
  const pushed = await feed.next();
  assert.deepEqual([pushed.hash, pushed.parentHash], [head.hash, before?.hash]);
  assert.equal("transactions" in pushed, false);
  feed.close();
});

test("a reorg pushes the new blocks, and the old ones are known by hash alone", async () => {
  const feed = await subscribe(fixture);
  const { number } = await fixture.head();
  const old = await fixture.canonical(number - 2, number);
  const { branch } = await fixture.reorg({ depth: 3, length: 5 });
  const now = await fixture.canonical(number - 3, number + 2);
  const pushed = [
    await feed.next(),
    await feed.next(),
    await feed.next(),
    await feed.next(),
    await feed.next(),
  ];
  assert.deepEqual(
    pushed.map(({ hash }) => hash),
    now.slice(1).map(({ hash }) => hash),
  );
  assert.equal(now[0]?.hash, old[0]?.parentHash);
  assert.equal(((await rpc("eth_getBlockByHash", [old[2]?.hash, false])) as Head).hash, old[2]?.hash);
  await fixture.setFaults({ forgetsOrphans: true });
  assert.equal(await rpc("eth_getBlockByHash", [old[2]?.hash, false]), null);
  await fixture.clearFaults();
  await fixture.switchTo("main");
  assert.equal((await feed.next()).hash, old[0]?.hash);
  await fixture.switchTo(branch);
  assert.equal((await fixture.head()).number, number + 2);
  await fixture.switchTo("main");
  feed.close();
});

test("a transaction that a reorg moved is found in its new block", async () => {
  await fixture.mine(2);
  await fixture.reorg({ depth: 2, length: 2 });
  const { number, branch } = await fixture.head();
  const { receipts } = await fixture.expected(number - 1, branch);
  const receipt = receipts[2];
  assert.deepEqual(await rpc("eth_getTransactionReceipt", [receipt?.transactionHash]), receipt);
  await fixture.switchTo("main");
});

test("a head that goes backwards pushes nothing and hides what is above", async () => {
  const feed = await subscribe(fixture);
  const { number, hash } = await fixture.head();
  await fixture.setHead(number - 2);
  assert.equal(Number(await rpc("eth_blockNumber", [])), number - 2);
  assert.equal(await rpc("eth_getBlockByHash", [hash, false]), null);
  await fixture.mine(1);
  assert.equal(Number((await feed.next()).number), number - 1);
  await fixture.mine(1);
  assert.equal((await feed.next()).hash, hash, "it is the same block again");
  feed.close();
});

test("blocks are mined at an interval", async () => {
  const feed = await subscribe(fixture);
  await fixture.autoMine(5);
  const [one, two] = [await feed.next(), await feed.next()];
  await fixture.autoMine(null);
  assert.equal(two.parentHash, one.hash);
  feed.close();
});

test("a subscription may be silent, repeat heads, swap them, or leave some out", async () => {
  const feed = await subscribe(fixture);
  const { number } = await fixture.head();
  await fixture.setFaults({ heads: { silent: true } });
  await fixture.mine(1);
  await fixture.setFaults({ heads: { duplicate: true } });
  await fixture.mine(1);
  assert.deepEqual([await feed.nextNumber(), await feed.nextNumber()], [number + 2, number + 2]);
  await fixture.setFaults({ heads: { outOfOrder: true } });
  await fixture.mine(2);
  assert.deepEqual([await feed.nextNumber(), await feed.nextNumber()], [number + 4, number + 3]);
  await fixture.setFaults({ heads: { missingEvery: 2 } });
  await fixture.mine(4);
  assert.equal((await feed.nextNumber()) + 2, await feed.nextNumber());
  feed.close();
});

test("a lagging endpoint pushes heads later", async () => {
  const feed = await subscribe(fixture, 1);
  const { number } = await fixture.head();
  await fixture.setFaults({ headLag: 2 }, 1);
  await fixture.mine(3);
  const pushed = [await feed.nextNumber(), await feed.nextNumber(), await feed.nextNumber()];
  assert.deepEqual(pushed, [number - 1, number, number + 1]);
  feed.close();
});

test("all WebSockets may be dropped, and come back", async () => {
  const feed = await subscribe(fixture);
  const closed = once(feed.socket, "close");
  await fixture.dropWebSockets();
  await closed;
  (await subscribe(fixture)).close();
});

test("calls are answered over WebSocket as over HTTP", async () => {
  const socket = new WebSocket(fixture.wsUrl);
  await once(socket, "open");
  socket.send(JSON.stringify({ jsonrpc: "2.0", id: "a", method: "eth_getBlockReceipts", params: ["0x5"] }));
  const [data] = (await once(socket, "message")) as [Buffer];
  const { receipts } = await fixture.expected(5);
  assert.deepEqual(JSON.parse(String(data)), { jsonrpc: "2.0", id: "a", result: receipts });
  socket.terminate();
});

test("logs are found by address and topics", async () => {
  const { receipts } = await fixture.expected(7);
  const logs = receipts.flatMap((receipt) => receipt.logs as { address: string; topics: string[] }[]);
  const [wanted] = logs;
  const filter = { fromBlock: "0x7", toBlock: "0x7", address: wanted?.address, topics: [wanted?.topics[0]] };
  const expected = logs.filter(
    (log) => log.address === wanted?.address && log.topics[0] === wanted.topics[0],
  );
  assert.deepEqual(await rpc("eth_getLogs", [filter]), expected);
});

test("the node ends when its parent is killed", async () => {
  const support = new URL("../support/fixture.js", import.meta.url).href;
  const script = `const { startFixture } = await import(${JSON.stringify(support)});
    const { pid, url } = await startFixture({ head: 1 });
    console.log(JSON.stringify({ pid, url }));
    setInterval(() => {}, 1000);`;
  const parent: ChildProcess = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  assert.ok(parent.stdout);
  const [line] = (await once(parent.stdout, "data")) as [Buffer];
  const { pid, url } = JSON.parse(String(line)) as { pid: number; url: string };
  const socket = new WebSocket(url.replace("http", "ws"));
  await once(socket, "open");
  socket.on("error", () => {});
  const gone = once(socket, "close", { signal: AbortSignal.timeout(5_000) });
  parent.kill("SIGKILL");
  try {
    await gone;
  } catch (error) {
    process.kill(pid, "SIGKILL");
    throw error;
  }
});

async function subscribe(fixture: Fixture, endpoint = 0) {
  const socket = new WebSocket(fixture.wsUrls[endpoint] ?? "");
  const heads: Head[] = [];
  let arrived: (() => void) | undefined;
  await once(socket, "open");
  socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_subscribe", params: ["newHeads"] }));
  await once(socket, "message");
  socket.on("message", (data) => {
    heads.push((JSON.parse(String(data)) as { params: { result: Head } }).params.result);
    arrived?.();
  });
  const next = async (): Promise<Head> => {
    for (;;) {
      const head = heads.shift();
      if (head) return head;
      await new Promise<void>((resolve) => {
        arrived = resolve;
      });
    }
  };
  const nextNumber = async () => Number((await next()).number);
  return { socket, next, nextNumber, close: () => socket.terminate() };
}

async function rpc(method: string, params: unknown[]): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const response = await fetch(fixture.url, { method: "POST", body });
  return ((await response.json()) as { result: unknown }).result;
}
