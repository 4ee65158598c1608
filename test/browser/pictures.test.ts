// Makes docs/images again, from a real run: BLOCKMILL_TEST_PICTURES=FOLDER npm test browser/pictures

import { mkdirSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { setScene } from "../daemon/scene.js";
import { waitFor } from "../support/process.js";
import { addressOf } from "../web/scene.js";
import { skip as noBrowser, untilLive, useBrowser } from "./browser.js";

const folder = process.env.BLOCKMILL_TEST_PICTURES ?? "";
const skip = folder === "" ? "set BLOCKMILL_TEST_PICTURES to the folder they go to" : noBrowser;
/** How long the chain is followed before it is shown, so that charts have something to show. */
const followedMs = Number(process.env.BLOCKMILL_TEST_PICTURES_SECONDS ?? 240) * 1_000;
const browser = useBrowser();

const sizes = {
  wall: { width: 1920, height: 1080 },
  desk: { width: 1280, height: 900 },
  phone: { width: 390, height: 844 },
};

test("pictures of the page: a backfill, following, a broken node, a pause; light, dark, on a phone, on a wall", {
  skip,
}, async (t) => {
  mkdirSync(folder, { recursive: true });
  const scene = await setScene(t, { node: { head: 6_000, ports: 2, transactions: 6, finalityDepth: 32 } });
  const daemon = await scene.start({
    web: { listen: "127.0.0.1:0" },
    pipeline: { workers: 3, auto_enqueue: true, max_attempts: 2 },
  });
  const address = await addressOf(daemon);
  const take = async (
    name: string,
    size: keyof typeof sizes,
    colorScheme: "light" | "dark",
    { whole = false, block }: { whole?: boolean; block?: number } = {},
  ) => {
    const { page } = await browser.open(address, { viewport: sizes[size], colorScheme });
    await untilLive(page);
    if (block !== undefined) {
      await page.locator(`.cell[data-block="${block}"]`).click();
      await page.locator("dialog .why").waitFor();
    }
    // What is read by itself has come, and what moves stands.
    await sleep(2_500);
    await page.screenshot({
      path: path.join(folder, `${name}.png`),
      fullPage: whole,
      animations: "disabled",
    });
    await page.context().close();
  };

  await take("idle", "desk", "light");
  await scene.node.autoMine(2_000);
  await scene.node.setFaults({ latencyMs: 25, jitterMs: 30 });
  await scene.pool.query(
    "insert into processing_ranges (from_block, to_block, next_block) values (1, 5900, 1)",
  );
  await sleep(9_000);
  await take("backfill", "wall", "dark");
  await sleep(followedMs / 2);
  await scene.node.reorg({ depth: 2, length: 3 });
  await sleep(followedMs / 2);
  await take("following", "desk", "light", { whole: true });
  await take("following-dark", "desk", "dark", { whole: true });
  await take("phone", "phone", "light", { whole: true });
  const { rows } = await scene.pool.query<{ number: number }>(
    "select max(number)::int as number from blocks",
  );
  await take("block", "desk", "light", { block: (rows[0]?.number ?? 0) - 20 });
  await scene.node.setFaults({ down: "refused" });
  const [worker] = daemon.workers();
  if (worker !== undefined) process.kill(worker.pid, "SIGKILL");
  await sleep(45_000);
  await take("broken", "wall", "dark", { whole: true });
  await scene.node.setFaults({ down: null });
  await waitFor(
    async () => (await scene.pool.query("select from alerts where cleared_at is null")).rowCount === 0,
    { what: "the outage to be over", everyMs: 500 },
  );
  await scene.pool.query(
    "update processing_control set paused_at = now(), reason = 'the disk is being replaced'",
  );
  await sleep(6_000);
  await take("paused", "desk", "light");
  await scene.pool.query("update processing_control set paused_at = null, reason = null");
});
