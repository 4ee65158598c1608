// docs/OPERATIONS.md, "To a point in time", as it is written there: each line, by root, on Debian's PostgreSQL.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { freePort } from "../support/free-port.js";
import { bootSystemd, type Systemd, whyNoSystemd } from "../support/nspawn.js";
import { programFile, projectRoot } from "../support/project.js";

const clusters = "/etc/postgresql";
const version = existsSync(clusters)
  ? readdirSync(clusters).find((name) => existsSync(`${clusters}/${name}/main`))
  : undefined;
const skip =
  whyNoSystemd() ??
  (version === undefined ? `no cluster N/main of Debian's PostgreSQL in ${clusters}` : false);

/** The two recipes: what is done once, and what recovers. Only the version, the day and the moment differ. */
function readRecipes({ day = "", moment = "" } = {}): [once: string, recover: string] {
  const text = readFileSync(`${projectRoot}docs/OPERATIONS.md`, "utf8");
  const section = /^### To a point in time\n([\s\S]*?)^## /m.exec(text)?.[1] ?? "";
  const [once, recover, ...more] = [...section.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, lines]) =>
    (lines ?? "")
      .replaceAll("/15/", `/${version}/`)
      .replaceAll("@15-", `@${version}-`)
      .replaceAll("'^15 ", `'^${version} `)
      .replace("/srv/base/2026-11-23", `/srv/base/${day}`)
      .replace("'2026-11-24 06:22:55+00'", `'${moment}'`),
  );
  assert(once !== undefined && recover !== undefined && more.length === 0, "two recipes");
  return [once, recover];
}

let machine: Systemd;

before(async () => {
  if (skip) return;
  machine = await bootSystemd();
  // The container shares our network: another port. The programs of this checkout, by the name that people type.
  const port = await freePort();
  await machine.check(`
    sed -i 's/^port = .*/port = ${port}/' /etc/postgresql/${version}/main/postgresql.conf
    mkdir -p /etc/blockmill
    ln -s ${projectRoot}systemd/blockmill.target /etc/systemd/system/
    systemctl daemon-reload
    systemctl start blockmill.target postgresql@${version}-main
    runuser -u postgres -- psql -qc "create role blockmill login superuser password 'b'" -c "create table moments (n int)"`);
  const config = {
    database: { url: `postgres://blockmill:b@127.0.0.1:${port}/postgres` },
    rpc: { urls: ["http://127.0.0.1:9"] },
  };
  await writeFile(`${machine.root}/etc/blockmill/mainnet.json`, JSON.stringify(config));
  await writeFile(
    `${machine.root}/usr/local/bin/blockmill`,
    `#!/bin/sh\nexec ${process.execPath} ${programFile} "$@"\n`,
    { mode: 0o755 },
  );
  await machine.check("blockmill -c /etc/blockmill/mainnet.json init");
});

after(() => machine?.stop());

const sql = async (statement: string) =>
  (await machine.check(`runuser -u postgres -- psql -XAtc "${statement}"`)).trim();

const runRecipe = (recipe: string) => machine.run("sh -s", { input: recipe });

test("the recipe brings the server back to the moment, and what was committed behind it is gone", {
  skip,
}, async () => {
  const [once] = readRecipes();
  await machine.check(`set -e\n${once}`);
  await sql("insert into moments values (1)");
  const moment = await sql("select clock_timestamp()");
  await sql("insert into moments values (2)");
  const day = await machine.check("ls /srv/base");
  const [, recover] = readRecipes({ day: day.trim(), moment });

  const data = `/var/lib/postgresql/${version}`;
  const alive = recover.split("\n").filter((line) => !/^systemctl stop postgresql/.test(line));
  const refused = await runRecipe(alive.join("\n"));
  assert.notEqual(refused.code, 0, "a server that runs is never moved");
  assert.equal(await machine.check(`ls ${data}`), "main\n");
  assert.equal(await sql("select count(*) from moments"), "2");

  // As after a crash: what it leaves behind does not look as if it ran.
  await machine.check(`kill -KILL $(head -n 1 ${data}/main/postmaster.pid)`);
  const { code, stdout, stderr } = await runRecipe(recover);
  assert.equal(
    code,
    0,
    `${stdout}\n${stderr}\n${await machine.check(`tail -n 30 /var/log/postgresql/*-main.log`)}`,
  );
  assert.equal(await sql("select string_agg(n::text, ',') from moments"), "1");
  assert.equal(await sql("select pg_is_in_recovery()"), "f");
});
