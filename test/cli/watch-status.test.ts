// `blockmill status --watch`, on a terminal and where there is none.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createDatabase } from "../support/database.js";
import { waitFor } from "../support/process.js";
import { noTerminal, startOnTerminal } from "../support/pty.js";
import { blockmill, ownScript, startBlockmill } from "./blockmill.js";

async function place(t: { after(work: () => Promise<unknown>): void }) {
  const database = await createDatabase();
  t.after(() => database.drop());
  return { database, env: { BLOCKMILL_DATABASE_URL: database.url } };
}

/** What was drawn last, from the top: each look begins there. */
const lastFrame = (output: string): string[] =>
  (output.split("␛[H").at(-1) ?? "").replaceAll(/␛\[[\d;]*m/g, "").split(/␛\[K\r?\n?/);

test("on a terminal it shows the state anew, and q gives the terminal back", {
  skip: noTerminal,
}, async (t) => {
  const { database, env } = await place(t);
  const watch = startOnTerminal(ownScript, ["status", "--watch", "1"], {
    env: { ...env, NO_COLOR: undefined },
  });
  // However the test ends, the program does.
  t.after(async () => watch.press("q"));
  await watch.says(/Nothing runs: no daemon works on this schema\./);
  assert.match(watch.output, /␛\[31mNothing runs/, "in colours");
  await database.pool.query("insert into processing_jobs (block_number) values (1), (2), (3)");
  await watch.says(/pending[\s\S]*␛\[1m3␛/);

  // A state that cannot be read is told, above the one that could; and it goes on when it can be read again.
  const locker = await database.pool.connect();
  await locker.query("begin; lock table alerts in access exclusive mode");
  await watch.says(/The state cannot be read: [\s\S]*What[\s\S]*old\./);
  await locker.query("rollback; insert into processing_jobs (block_number) values (4)");
  locker.release();
  await watch.says(/pending[\s\S]*␛\[1m4␛/);

  watch.press("q");
  assert.equal(await watch.ended, 0, watch.output);
  assert.match(watch.output, /^␛\[\?1049h␛\[\?25l␛\[\?7l/);
  assert.match(watch.output, /␛\[\?7h␛\[\?25h␛\[\?1049l$/);
});

test("a terminal of another size is drawn at once, and Ctrl-C gives it back as well", {
  skip: noTerminal,
}, async (t) => {
  const { env } = await place(t);
  const watch = startOnTerminal(ownScript, ["status", "--watch", "3600"], { env });
  t.after(async () => watch.press("q"));
  await watch.says(/Nothing runs/);
  watch.resize({ columns: 40, rows: 6 });
  const small = await waitFor(
    () => {
      // The newest may be half written.
      const frames = watch.output.split("␛[J").slice(0, -1);
      const frame = lastFrame(frames.at(-1) ?? "");
      return frame.length === 7 && frame;
    },
    { what: "a screen of six lines" },
  );
  assert.match(small[0] ?? "", /^Nothing runs/);
  assert.match(small[5] ?? "", /^every 3600 s · q quits · \d\d:\d\d:\d\d$/);
  watch.press("\u0003");
  assert.equal(await watch.ended, 0, watch.output);
  assert.match(watch.output, /␛\[\?1049l$/);
});

test("where there is no terminal each look is a line: the sentence, or with --json all of it", async (t) => {
  const { env } = await place(t);
  const plain = await startBlockmill(["status", "--watch", "1"], env);
  await plain.line(/^\d\d:\d\d:\d\d Nothing runs: no daemon works on this schema\.$/);
  plain.child.kill("SIGTERM");
  const ended = await plain.ended;
  assert.equal(ended.code, 0, ended.stderr);
  assert.doesNotMatch(ended.stdout, /\p{Cc}(?<!\n)/u);

  const json = await startBlockmill(["status", "--watch", "1", "--json"], env);
  await json.line(/^\{"schema":"public",/);
  json.child.kill("SIGTERM");
  for (const line of (await json.ended).stdout.trim().split("\n"))
    assert.equal((JSON.parse(line) as { schema: string }).schema, "public");

  const both = await blockmill(["status", "--watch", "--check"], env);
  assert.deepEqual([both.code, both.stdout], [2, ""]);
  assert.match(both.stderr, /--check.*cannot be used with.*--watch/);
});
