import assert from "node:assert/strict";
import { test } from "node:test";
import { commandLine } from "../support/daemon.js";
import { assertCleanStop, said, setScene, until } from "./scene.js";

test("keys of nodes and the database's password appear nowhere: not in logs, tables or command lines", async (t) => {
  const scene = await setScene(t, { node: { head: 50 } });
  const key = "k3y-in-the-path-0123456789";
  const secrets = [key, "us3r-of-the-node", "passw0rd-of-the-node", new URL(scene.databaseUrl).password];
  assert(secrets.every((secret) => secret.length > 3));
  const good = new URL(`/v2/${key}`, scene.node.url);
  const bad = new URL(good);
  bad.username = "us3r-of-the-node";
  bad.password = "passw0rd-of-the-node";
  // Nobody listens there.
  bad.port = "1";
  const daemon = await scene.start({ rpc: { urls: [good.href, bad.href] }, log: { level: "trace" } });
  const commands = daemon.pids().flatMap(commandLine);

  // Everything that can go wrong, so that everything is said.
  await scene.insert(1, 5);
  await scene.insert(9_999);
  // The last one is beyond the head: it waits, and says for what.
  const saysWhy = (...blocks: number[]) =>
    until(
      async () => {
        const { rows } = await scene.pool.query(
          "select from processing_jobs where block_number = any ($1) and last_error is not null",
          [blocks],
        );
        return rows.length === blocks.length;
      },
      `blocks ${blocks.join(", ")} to say why they are not stored`,
    );
  await saysWhy(9_999);
  await scene.node.mutate({ method: "eth_getBlockByNumber", block: 7, kind: "not-json", count: 0 });
  await scene.node.mutate({ method: "eth_getBlockByNumber", block: 8, kind: "html-502", count: 0 });
  const refusal = {
    kind: "error",
    code: -32_000,
    message: `bad key ${key} at ${good.href}`,
    count: 0,
  } as const;
  await scene.node.mutate({ method: "eth_getBlockByNumber", block: 9, ...refusal });
  await scene.insert(7);
  await scene.insert(9);
  await saysWhy(7, 9);
  await scene.insert(8);
  await saysWhy(8);
  await scene.node.mutate({ method: "*", ...refusal });
  await scene.insert(10);
  await said(daemon, /waiting: nothing is claimed/);
  await until(async () => {
    const { rows } = await scene.pool.query("select doing::text as doing from processing_workers");
    return rows.some(({ doing }) => String(doing).includes("bad key"));
  }, "a worker to tell what its endpoint said");
  await scene.pool.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'blockmill %' and datname = current_database()",
  );
  await said(daemon, /lease of this host is lost/);
  await until(async () => Object.keys(await scene.states()).length === 4, "its processes to be registered");
  const tables = await scene.pool.query<{ text: string }>(
    `select to_jsonb(t)::text as text from processing_failures as t
     union all select to_jsonb(t)::text from processing_workers as t
     union all select to_jsonb(t)::text from processing_jobs as t`,
  );
  await scene.pool.query("delete from processing_jobs");
  await assertCleanStop(daemon, scene.pool);

  const places: Record<string, string> = {
    "its output": daemon.program.output.join("\n"),
    "its tables": tables.rows.map(({ text }) => text).join("\n"),
    "its command lines": commands.join("\n"),
  };
  for (const [place, text] of Object.entries(places)) {
    assert(text.length > 100, `${place} were looked at`);
    for (const secret of secrets)
      assert(!text.includes(secret), `${place} tell a secret: ${around(text, secret)}`);
  }
});

function around(text: string, secret: string): string {
  const at = text.indexOf(secret);
  return text.slice(Math.max(0, at - 300), at + secret.length + 50);
}
