// The page of a real daemon, in a real browser.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { loadConfig } from "../../src/config/load.js";
import { readStatus } from "../../src/status/read-status.js";
import { sentenceOf } from "../../src/status/sentence.js";
import { setScene } from "../daemon/scene.js";
import { freePort } from "../support/free-port.js";
import { waitFor } from "../support/process.js";
import { addressOf } from "../web/scene.js";
import { faultsOf, otherName, skip, textOf, untilLive, useBrowser } from "./browser.js";

const browser = useBrowser();
const web = { listen: "127.0.0.1:0" };

test("what the page shows is what the database holds, in light and dark, without a fault that axe finds, and nothing comes from elsewhere", {
  skip,
}, async (t) => {
  const scene = await setScene(t);
  const daemon = await scene.start({ web });
  const address = await addressOf(daemon);
  await scene.insert(1, 40);
  await scene.settled();
  await scene.pool.query(`
    insert into processing_jobs (block_number, status, attempts, last_error) values (41, 'failed', 5, 'it said no');
    insert into processing_failures (job_id, block_number, attempt, class, message, endpoint)
      select 1, 41, n, 'retry', 'block 41: it said no', 'a.example' from generate_series(1, 5) as n;
    insert into processing_ranges (from_block, to_block, next_block, priority, enqueued_at) values (1, 40, 41, 0, now())`);

  for (const colorScheme of ["light", "dark"] as const) {
    const { page, requests, errors } = await browser.open(address, { colorScheme });
    await untilLive(page);
    const config = loadConfig({
      env: { BLOCKMILL_DATABASE_URL: scene.databaseUrl, BLOCKMILL_RPC_URLS: scene.node.url },
    }).config;
    const told = async () => {
      const status = await readStatus(scene.pool, { config, redact: (text) => text });
      return [await textOf(page, "h1"), sentenceOf(status).text] as const;
    };
    await waitFor(async () => (([shown, is]) => shown === is)(await told()), {
      what: "the sentence of status",
    });
    await waitFor(async () => /^stored 40 newest 40$/.test(await textOf(page, ".numbers > :nth-child(5)")), {
      what: "40 stored blocks",
    });
    assert.match(await textOf(page, ".numbers > :nth-child(7)"), /^failed 1 blockmill retry --all$/);

    // Each cell is what the job of its block is.
    const jobs = new Map((await scene.jobs()).map((job) => [job.block_number, job.status]));
    const says: Record<string, string> = { completed: "stored", failed: "failed" };
    const cells = await page
      .locator(".cell")
      .evaluateAll((all) => all.map((each) => each.getAttribute("aria-label")));
    assert(cells.length > 40);
    for (const cell of cells) {
      const [, block, kind] = /^block (\d+), (.*)$/.exec(cell ?? "") ?? [];
      const status = jobs.get(Number(block));
      assert.equal(kind, status === undefined ? "not asked for" : says[status], cell ?? "");
    }
    const failure = await textOf(page, ".failures li");
    assert.match(failure, /^5 ?× block 41: it said no .*newest 41 a\.example 1 still failed/);

    // A block's life.
    await page.locator('.cell[data-block="7"]').click();
    await page.locator("dialog .why").waitFor();
    const { rows } = await scene.pool.query<{ hash: string }>(
      "select '0x' || encode(hash, 'hex') as hash from blocks where number = 7",
    );
    const life = await textOf(page, "dialog");
    assert(life.includes(rows[0]?.hash ?? "?"), life);
    assert.match(life, /stored Stored in .* Proven: /);
    assert.deepEqual(await faultsOf(page), []);
    await page.keyboard.press("Escape");
    await page.locator("dialog").waitFor({ state: "detached" });

    assert.deepEqual(await faultsOf(page), []);
    assert.deepEqual(errors, []);
    assert.deepEqual(
      requests.filter((url) => !url.startsWith(`http://${address}/`) && !url.startsWith("data:")),
      [],
    );
    await page.context().close();
  }
});

test("the strip is zoomed by keyboard from all of the chain to one block, whose life is told", {
  skip,
}, async (t) => {
  const scene = await setScene(t);
  const daemon = await scene.start({ web });
  await scene.insert(1, 3);
  await scene.settled();
  await scene.pool.query("update processing_coverage set blocks = '{[1000,20000000)}'");
  const { page } = await browser.open(await addressOf(daemon));
  await untilLive(page);
  const strip = page.locator(".strip");
  const told = () => textOf(page, ".told");
  await waitFor(async () => (await told()).startsWith("19,999,999 blocks in view"), {
    what: "all of the chain",
  });
  await strip.focus();
  await page.keyboard.press("End");
  await waitFor(async () => (await told()).includes("to 19,999,999: stored"), { what: "the last bar" });
  await waitFor(
    async () => {
      await page.keyboard.press("End");
      await page.keyboard.press("Enter");
      return (await page.locator("dialog").count()) > 0;
    },
    { what: "a block", everyMs: 500 },
  );
  assert.match(await textOf(page, "dialog h2"), /^Block 19,999,9\d\d$/);
  assert.match(await textOf(page, "dialog .why"), /^rows missing /);
  await page.keyboard.press("Escape");
  await strip.focus();
  await page.keyboard.press("Escape");
  await waitFor(async () => (await told()).startsWith("19,999,999 blocks in view"), {
    what: "all of it again",
  });
});

test("the page says that the daemon is away, and goes on by itself with the next one", {
  skip,
}, async (t) => {
  const scene = await setScene(t);
  const listen = `127.0.0.1:${await freePort()}`;
  const first = await scene.start({ web: { listen } });
  await addressOf(first);
  await scene.insert(1, 5);
  await scene.settled();
  const { page } = await browser.open(listen);
  await untilLive(page);
  assert((await textOf(page, "footer")).includes(first.supervisorId));
  await first.stop();
  await page.locator(".stale").waitFor();
  assert.match(await textOf(page, ".stale"), /^No word from the daemon for .* goes on by itself/);
  assert.equal(await textOf(page, ".beat"), "no word");
  // What was known is still there.
  assert.equal(await page.locator(".cell.stored").count(), 5);
  assert.deepEqual(await faultsOf(page), []);
  const second = await scene.start({ web: { listen } });
  await page.locator(".beat.live").waitFor({ timeout: 60_000 });
  await waitFor(async () => (await textOf(page, "footer")).includes(second.supervisorId), {
    what: "the next daemon",
  });
  assert.equal(await page.locator(".stale").count(), 0);
});

test("with 20 million blocks, 50 workers and 10,000 failures no task of the page takes 100 ms", {
  skip,
}, async (t) => {
  const scene = await setScene(t);
  const daemon = await scene.start({ web });
  const address = await addressOf(daemon);
  await scene.pool.query(`
    update processing_coverage set blocks = (
      select range_agg(int8range(n * 10000, n * 10000 + 9990)) from generate_series(0, 1999) as n);
    insert into processing_jobs (block_number, status, attempts, last_error)
      select n * 2000 + 9995, 'failed', 5, 'block ' || n || ' is no good' from generate_series(1, 9990) as n
      on conflict do nothing;
    insert into processing_failures (job_id, block_number, attempt, class, message, endpoint)
      select n, n * 2000, 1, 'retry', 'kind ' || chr(65 + n % 26) || chr(65 + n / 26 % 26) || ': block ' || n || ' is no good', 'e' || n % 9
      from generate_series(1, 10000) as n;
    insert into processing_workers (worker_id, supervisor_id, role, hostname, pid, version, state, doing)
      select '${daemon.supervisorId}/w' || n, '${daemon.supervisorId}', 'worker', 'host', n, '1', 'working',
        '{"completed": 12345, "memoryMb": 210, "blocks": [123, 124]}' from generate_series(100, 150) as n`);
  const { page } = await browser.open(address);
  await page.evaluate(`
    globalThis.longTasks = [];
    new PerformanceObserver((list) => {
      for (const { startTime, duration } of list.getEntries()) longTasks.push([Math.round(startTime), Math.round(duration)]);
    }).observe({ type: "longtask", buffered: true });`);
  await untilLive(page);
  await waitFor(async () => (await page.locator(".failures > li").count()) === 12, {
    what: "the kinds of failures",
  });
  await waitFor(async () => (await page.locator("tbody tr").count()) > 50, { what: "the workers" });
  await page.locator(".strip").focus();
  for (const key of ["End", "Enter", "Home", "+", "PageDown", "-", "Escape"]) {
    await page.keyboard.press(key);
    await page.waitForTimeout(700);
  }
  for (const name of ["6 h", "7 days", "15 min"]) {
    await page.getByRole("button", { name, exact: true }).click();
    await page.waitForTimeout(700);
  }
  await page.locator(".cell").first().click();
  await page.locator("dialog .why").waitFor();
  const tasks = await page.evaluate<[at: number, ms: number][]>("longTasks");
  const longest = Math.max(0, ...tasks.map(([, ms]) => ms));
  t.diagnostic(
    `tasks above 50 ms, as milliseconds since its start and for how many: ${tasks.map((each) => each.join(" for ")).join(", ")}`,
  );
  assert(longest < 100, `a task took ${longest} ms`);
});

test("a page of another site in the same browser can neither read nor change anything", {
  skip,
}, async (t) => {
  const scene = await setScene(t);
  const token = "0123456789abcdef";
  const daemon = await scene.start({ web: { ...web, token } });
  const address = await addressOf(daemon);
  const attacker = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/html" });
    response.end(`<!doctype html><title>other</title><body><script>${attack}</script>`);
  });
  await new Promise<void>((resolve) => attacker.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    attacker.close();
    attacker.closeAllConnections();
  });
  const other = `127.0.0.1:${(attacker.address() as AddressInfo).port}`;
  const { page } = await browser.open(other);
  const tried = await page.evaluate(`attack(${JSON.stringify(address)}, ${JSON.stringify(token)})`);
  assert.deepEqual(tried, {
    read: "TypeError",
    opaque: "TypeError",
    change: "TypeError",
    simple: "TypeError",
    withToken: "TypeError",
    events: "refused",
    script: "refused",
    frame: "refused",
  });
  // Its own name, led to this host (DNS rebinding), is of one origin with the daemon for the browser.
  const port = address.split(":")[1];
  const rebound = await browser.open(`${otherName}:${port}`);
  assert.match(await rebound.page.locator("body").textContent().then(String), /this name is not known here/);
  const answers = await rebound.page.evaluate(`Promise.all(
    [["/api/status"], ["/api/pause", { method: "POST", headers: { authorization: "Bearer ${token}" } }]].map(
      ([path, init]) => fetch(path, init).then(({ status }) => status, (error) => error.name),
    ),
  )`);
  // The refusal's own policy forbids a script to ask for anything.
  assert.deepEqual(answers, ["TypeError", "TypeError"]);
  const { rows } = await scene.pool.query("select paused_at from processing_control");
  assert.deepEqual(rows, [{ paused_at: null }]);
});

/** What the other site's page tries: to read in every way that there is, and to change. */
const attack = `
async function attack(at, secret) {
  const read = (path, init) =>
    fetch("http://" + at + path, init).then(
      async (response) => response.type + " " + response.status + " " + (await response.text()).length,
      (error) => error.name,
    );
  const events = await new Promise((resolve) => {
    const source = new EventSource("http://" + at + "/api/events");
    source.addEventListener("status", () => resolve("read"));
    source.onerror = () => {
      source.close();
      resolve("refused");
    };
  });
  const script = await new Promise((resolve) => {
    const element = document.createElement("script");
    element.src = "http://" + at + "/api/status";
    element.onload = () => resolve("read");
    element.onerror = () => resolve("refused");
    document.head.append(element);
  });
  const frame = await new Promise((resolve) => {
    const element = document.createElement("iframe");
    element.src = "http://" + at + "/";
    element.onload = () => resolve(element.contentDocument === null ? "refused" : "read " + element.contentDocument.body.innerText);
    document.body.append(element);
  });
  const hidden = document.createElement("iframe");
  hidden.name = "hidden";
  const form = document.createElement("form");
  form.target = "hidden";
  form.method = "post";
  form.action = "http://" + at + "/api/pause";
  document.body.append(hidden, form);
  form.submit();
  return {
    read: await read("/api/status"),
    opaque: await read("/api/status", { mode: "no-cors" }),
    change: await read("/api/pause", { method: "POST" }),
    simple: await read("/api/pause", { method: "POST", mode: "no-cors", body: "x" }),
    withToken: await read("/api/pause", { method: "POST", headers: { authorization: "Bearer " + secret } }),
    events,
    script,
    frame,
  };
}`;
