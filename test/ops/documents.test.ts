// What README and docs/ tell people to type is typed: every command in a block of shell, every statement in a block of
// SQL, and every `psql -c` inside a line, in the order in which they stand. A document is one place: a database, a
// chain, and what the lines before have made of them.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import pg from "pg";
import { ownScript } from "../cli/blockmill.js";
import { type DebianPostgres, skip, startDebianPostgres } from "../support/debian-postgres.js";
import { startFixture } from "../support/fixture.js";
import { projectRoot } from "../support/project.js";

/** Commands that are not run here, by what they begin with, and why. */
const leftOut: [command: RegExp, why: string][] = [
  [/^(systemctl|journalctl) /, "needs systemd: test/systemd does it"],
  [/^(apt|tar|cp \/etc|editor) /, "installs a package, or opens an editor: test/systemd does it"],
  [/^curl /, "asks a daemon over HTTP: test/web does it"],
  [/^npm /, "builds, tests or measures the checkout: it is what runs this"],
  [/^(bin\/)?blockmill start -c/, "runs until somebody ends it: test/daemon does it"],
  [/ status --watch\b/, "shows the status until somebody ends it: test/cli/watch-status does it"],
  [/ status --check\b/, "its exit code tells of a daemon, and none runs here: test/cli/why.test.ts does it"],
];
/** Blocks that are not run here, by a line in them, and why. */
const leftOutBlocks: [line: string, why: string][] = [
  ["archive_mode = on", "changes the whole server: test/ops/recovery.test.ts does it"],
  ["recovery_target_time", "replaces the whole server: test/ops/recovery.test.ts does it"],
  ["exec mail", "a script for mail"],
];
/** Statements that need another place than the others: partitioned tables, or two schemas. */
const elsewhere: [text: string, place: (t: Place) => Promise<void>][] = [
  ["partition_blocks=500000", (place) => place.useDatabase("partitioned")],
  ["DROP TABLE blocks_0", (place) => place.useDatabase("partitioned", "select create_chain_partition(0)")],
  ["INTO mainnet_parts.blocks", (place) => place.useCopies()],
];

interface Place {
  server: DebianPostgres;
  /** Makes the next statements go to a database of this name, made anew if it is not there, with our schema in it. */
  useDatabase(name: string, sql?: string): Promise<void>;
  useCopies(): Promise<void>;
  sql(text: string): Promise<void>;
  shell(command: string): Promise<{ code: number; output: string }>;
}

/** The document's own words for what differs from place to place. */
function fillIn(text: string): string {
  return (
    text
      // A shorter chain: the meaning is the same, and each block costs time.
      .replaceAll(/\b999990\b/g, "990")
      .replaceAll(/\b1000010\b/g, "1002")
      .replaceAll(/\b1000100\b/g, "1002")
      .replaceAll(/\b1001000\b/g, "1003")
      .replaceAll(/\b1000000\b/g, "1000")
      .replaceAll("/etc/blockmill/", "etc/")
      .replaceAll("/var/backups/", "etc/")
      .replaceAll(/\bPID\b/g, "0")
      .replaceAll(/\b(block_number = |cancel |retry )N\b/g, "$11000")
  );
}

async function setPlace(t: TestContext): Promise<Place> {
  const folder = mkdtempSync(path.join(tmpdir(), "blockmill-documents-"));
  const [server, node] = await Promise.all([
    startDebianPostgres(),
    startFixture({ head: 1_100, transactions: 0, signatures: "random" }),
  ]);
  const admin = new pg.Pool({ connectionString: server.url, max: 1 });
  t.after(async () => {
    await admin.end();
    await Promise.all([server.destroy(), node.stop()]);
    rmSync(folder, { recursive: true });
  });
  const { port, password } = new URL(server.url);
  let database = "chain";
  const urlOf = (name: string): string => server.url.replace(/\/postgres$/, `/${name}`);

  mkdirSync(path.join(folder, "bin"));
  const program = path.join(folder, "bin/blockmill");
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${ownScript}' "$@"\n`);
  // To be another user of the system, and to be asked for a password, are what a test cannot have.
  const sudo = path.join(folder, "bin/sudo");
  writeFileSync(sudo, '#!/bin/sh\nshift 2; printf "hunter2\\nhunter2\\n" | exec "$@"\n');
  for (const file of [program, sudo]) chmodSync(file, 0o755);

  const configure = (): void => {
    mkdirSync(path.join(folder, "etc"), { recursive: true });
    const config = (name: string) =>
      JSON.stringify({ database: { url: urlOf(name) }, rpc: { urls: [node.url] }, pipeline: { workers: 1 } });
    for (const name of ["mainnet", "owner"])
      for (const at of [`${name}.json`, `etc/${name}.json`])
        writeFileSync(path.join(folder, at), config(database));
    writeFileSync(path.join(folder, "etc/elsewhere.json"), config("elsewhere"));
  };
  configure();

  const useDatabase = async (name: string, sql = "select"): Promise<void> => {
    database = name;
    configure();
    const { rows } = await admin.query("select from pg_database where datname = $1", [name]);
    if (rows.length === 0) {
      await admin.query(`create database ${name}`);
      await place.shell(
        `bin/blockmill init -c mainnet.json${name === "partitioned" ? " --set database.partition_blocks=500000" : ""}`,
      );
    }
    await place.sql(sql);
  };
  const place: Place = {
    server,
    useDatabase,
    async useCopies() {
      await useDatabase("chain");
      for (const [schema, more] of [
        ["mainnet", ""],
        ["mainnet_parts", " --set database.partition_blocks=500000"],
      ])
        await place.shell(`bin/blockmill init -c mainnet.json --set database.schema=${schema}${more}`);
    },
    async sql(text) {
      const client = new pg.Client({ connectionString: urlOf(database) });
      await client.connect();
      await client.query(text).finally(() => client.end());
    },
    async shell(command) {
      const child = spawn("bash", ["-c", command], {
        cwd: folder,
        env: {
          ...Object.fromEntries(
            Object.entries(process.env).filter(([name]) => !/^(BLOCKMILL_(?!TEST)|PG)/.test(name)),
          ),
          PATH: `${folder}/bin:${server.path}`,
          BLOCKMILL_CONFIG: path.join(folder, "mainnet.json"),
          ...{
            PGHOST: "127.0.0.1",
            PGPORT: port,
            PGUSER: "postgres",
            PGPASSWORD: password,
            PGDATABASE: database,
          },
        },
        // No terminal to ask for a password.
        detached: true,
        stdio: ["ignore", "pipe", "pipe"],
      });
      let output = "";
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding("utf8").on("data", (said: string) => {
          output += said;
        });
      const [code] = (await once(child, "close")) as [number];
      return { code, output };
    },
  };
  return place;
}

interface Block {
  kind: "sh" | "sql";
  line: number;
  text: string;
}

/** Blocks of shell and SQL, and what begins with `psql` between backticks elsewhere, as they stand. */
function blocksOf(document: string): Block[] {
  const fenced = [...document.matchAll(/^```(\w*)\n(.*?)^```$/gms)];
  const lineOf = (index: number): number => document.slice(0, index).split("\n").length;
  const blocks = fenced
    .filter(([, kind]) => kind === "sh" || kind === "sql")
    .map(({ index, 1: kind, 2: text = "" }) => ({
      kind: kind as Block["kind"],
      line: lineOf(index) + 1,
      text,
    }));
  const prose = document.replaceAll(/^```.*?^```$/gms, (block) => block.replaceAll(/[^\n]/g, " "));
  const inline = [...prose.matchAll(/`((?:bin\/)?(?:psql) -c [^`]+)`/g)].map(({ index, 1: text = "" }) => ({
    kind: "sh" as const,
    line: lineOf(index),
    text: text.replaceAll("\\|", "|"),
  }));
  return [...blocks, ...inline].sort((a, b) => a.line - b.line);
}

/** The commands of a block of shell: lines, and what follows them up to the end of a here-document. */
function commandsOf({ text, line }: Block): { text: string; line: number }[] {
  const commands: { text: string; line: number }[] = [];
  let end: string | undefined;
  for (const [at, each] of text.trimEnd().split("\n").entries()) {
    const last = commands.at(-1);
    if (end !== undefined && last !== undefined) {
      last.text += `\n${each}`;
      if (each === end) end = undefined;
      continue;
    }
    if (each.trim() === "" || each.startsWith("#")) continue;
    commands.push({ text: each.replace(/\s+#.*$/, ""), line: line + at });
    end = /<<'(\w+)'/.exec(each)?.[1];
  }
  return commands;
}

for (const [name, atLeast] of [
  ["README.md", 15],
  ["docs/OPERATIONS.md", 20],
  ["docs/TROUBLESHOOTING.md", 25],
] as const)
  test(`every command and statement of ${name} works as it is written`, { skip }, async (t) => {
    const place = await setPlace(t);
    const blocks = blocksOf(readFileSync(path.join(projectRoot, name), "utf8"));
    // README makes its database itself; the others begin with one.
    if (name !== "README.md") await place.useDatabase("chain");
    await place.sql("create database elsewhere").catch(() => {});
    let run = 0;
    for (const block of blocks) {
      const why = leftOutBlocks.find(([line]) => block.text.includes(line))?.[1];
      if (why !== undefined) {
        t.diagnostic(`${name}:${block.line} is not run: ${why}`);
        continue;
      }
      const other = elsewhere.find(([text]) => block.text.includes(text))?.[1];
      if (other !== undefined) await other(place);
      if (block.kind === "sql") {
        await assert.doesNotReject(place.sql(fillIn(block.text)), `${name}:${block.line}`);
        run += 1;
      } else
        for (const { text, line } of commandsOf(block)) {
          const reason = leftOut.find(([command]) => command.test(text))?.[1];
          if (reason !== undefined) {
            t.diagnostic(`${name}:${line} is not run: ${text}: ${reason}`);
            continue;
          }
          const { code, output } = await place.shell(fillIn(text));
          // 1: blocks are missing, or failed, as the lines before have it.
          const allowed = /\bblockmill\b/.test(text) && !text.includes("|") ? [0, 1] : [0];
          assert(allowed.includes(code), `${name}:${line}: ${text}: exit code ${code}: ${output}`);
          assert.doesNotMatch(output, /^ERROR|defect of blockmill/m, `${name}:${line}: ${text}`);
          run += 1;
        }
      if (other !== undefined) await place.useDatabase("chain");
      // Nobody is to work under a pause that a line before made.
      if (/blockmill.* pause/.test(block.text)) await place.shell("bin/blockmill resume -c mainnet.json");
    }
    assert(run >= atLeast, `${run} were run`);
    t.diagnostic(`${name}: ${run} commands and statements were run`);
  });
