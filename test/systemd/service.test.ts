import assert from "node:assert/strict";
import { readdir, readFile, readlink } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "../support/process.js";
import { projectRoot } from "../support/project.js";
import { nextVersion, type Scene, startScene, whyNoLintian, whyNoScene } from "./scene.js";

const skip = whyNoScene() ?? false;
const unit = "blockmill@mainnet.service";
const drainSeconds = 20;
/** Small batches, so that claims come often. */
const settings = { pipeline: { workers: 2, batch_size: 5, drain_seconds: drainSeconds } };
let scene: Scene;

if (skip === false) {
  before(async () => {
    scene = await startScene();
  });
  after(() => scene?.stop());
}

test("the package installs, one file is edited, and a row that psql inserts becomes a block", {
  skip,
}, async () => {
  await scene.check(`apt-get install -y --no-install-recommends ${scene.packages.now}`, {
    timeoutMs: 120_000,
  });
  await scene.check("cp /etc/blockmill/example.json /etc/blockmill/mainnet.json");
  await scene.configure("mainnet", settings);
  assert.equal(await scene.check("stat -c '%U:%G %a' /etc/blockmill/mainnet.json"), "root:blockmill 640\n");
  await scene.check("blockmill -c /etc/blockmill/mainnet.json init");
  await scene.check("systemctl enable --now blockmill@mainnet");
  assert.equal(await scene.property("blockmill.target", "ActiveState"), "active");

  await scene.check(
    `psql '${scene.databaseUrl}' -c 'insert into processing_jobs (block_number) select generate_series(1, 100)'`,
  );
  await completed(100);
  const [stored] = await scene.sql<{ count: number }>(
    "select count(*)::int from blocks where number between 1 and 100",
  );
  assert.equal(stored?.count, 100);
  await waitFor(
    async () =>
      /^head [\d,]+ (· lag \d+|is .* old( · lag at least [\d,]+)?) · \d+ blocks\/min · 2\/2 workers$/.test(
        await status(),
      ),
    {
      what: "the status to tell",
      everyMs: 200,
    },
  );
});

test("systemd finds nothing wrong with the units, and the sandbox tight", { skip }, async () => {
  const units = [
    "blockmill@x.service",
    "blockmill.target",
    "blockmill.slice",
    "blockmill-alert@x.service",
  ].concat(
    ["backup", "verify"].flatMap((name) => [`blockmill-${name}@x.service`, `blockmill-${name}@x.timer`]),
  );
  const { stdout, stderr } = await scene.run(`systemd-analyze verify ${units.join(" ")}`);
  assert.equal(stdout + stderr, "");
  for (const name of ["blockmill@mainnet", "blockmill-backup@x", "blockmill-verify@x"]) {
    const { exposure } = await securityOf(`${name}.service`);
    assert.ok(exposure <= 1.5, `${name}: ${exposure}`);
  }
});

test("the children have neither the service manager's descriptor nor its variables", { skip }, async () => {
  const main = Number(await scene.property(unit, "MainPID"));
  assert.match(await descriptors(main), /socket:/);
  const children = await childrenOf(main);
  assert.equal(children.length, 3);
  for (const child of children) {
    const environment = await readFile(`${scene.root}/proc/${child}/environ`, "utf8");
    assert.doesNotMatch(environment, /(^|\0)(NOTIFY_SOCKET|WATCHDOG_|LISTEN_)/);
    const passed = await readlink(`${scene.root}/proc/${main}/fd/3`);
    assert.ok(!(await descriptors(child)).includes(passed), "the descriptor was passed on");
  }
});

test("the journal knows each line's priority, and bunyan can still read it", { skip }, async () => {
  const [child] = await childrenOf(Number(await scene.property(unit, "MainPID")));
  await scene.check(`kill -KILL ${child}`);
  const errors = await waitFor(() => journal("-p err"), { what: "the death in the journal", everyMs: 200 });
  assert.match(errors, /died \(SIGKILL\)/);
  assert.doesNotMatch(errors, /"level":[1-4]0/);
  const lines = (await journal("_COMM=node + _COMM=MainThread")).trim().split("\n");
  assert.ok(lines.length > 2);
  for (const line of lines.filter((each) => each.includes('"level"')))
    assert.equal(JSON.parse(line).name, "blockmill");
  assert.ok(!lines.some((line) => /^<\d>/.test(line)), "systemd takes the prefix off");
  await workersUp(2);
});

test("a wrong configuration ends with 78, is not started again, says why, and raises the alert", {
  skip,
}, async () => {
  await scene.check(
    "mkdir /etc/blockmill/alert.d && cat >/etc/blockmill/alert.d/note && chmod 755 /etc/blockmill/alert.d/note",
    {
      input: '#!/bin/sh\necho "noted $1: $(grep -c workers)"\n',
    },
  );
  await scene.configure("broken", { pipeline: { workers: "many" } });
  const { code } = await scene.run("systemctl start blockmill@broken");
  assert.equal(code, 1);
  const said = (await scene.run("systemctl status blockmill@broken")).stdout;
  assert.match(said, /status=78/);
  assert.match(said, /pipeline\.workers \(.*broken\.json:1\): expected a whole number/);
  assert.equal(await scene.property("blockmill@broken.service", "NRestarts"), "0");
  assert.equal(await scene.property("blockmill@broken.service", "ActiveState"), "failed");
  const alert = "blockmill-alert@blockmill@broken.service.service";
  const alerted = async () =>
    (await scene.check(`journalctl -o cat -u '${alert}'`)).includes("noted blockmill@broken.service: 1");
  await waitFor(alerted, { what: "the alert", everyMs: 100 });
  assert.match(
    await scene.check(`journalctl -o cat -p crit -u '${alert}'`),
    /blockmill@broken\.service failed \(exit-code, status 78\); it will not start again by itself/,
  );
});

test("after kill -9 of the main process, work is claimed again within two seconds", { skip }, async () => {
  await underLoad(async () => {
    const bound = 2_000 * (await scene.slowness());
    const before = await supervisor();
    const killed = await clock();
    await scene.check(`kill -KILL ${await scene.property(unit, "MainPID")}`);
    const claimed = await firstClaim({ since: killed, notBy: before, withinMs: bound * 4 });
    assert.ok(claimed - killed < bound, `claimed after ${claimed - killed} ms of ${Math.round(bound)}`);
  });
});

test("a main process that is stopped is restarted by the watchdog", { skip }, async () => {
  const before = await scene.property(unit, "MainPID");
  await scene.check(`kill -STOP ${before}`);
  const other = async () => {
    const now = await scene.property(unit, "MainPID");
    return now !== before && now !== "0";
  };
  await waitFor(other, { what: "another main process", everyMs: 200 });
  assert.match(await journal(""), /Watchdog timeout/);
  await workersUp(2);
});

test("a reload under load changes the workers without a pause in the claims, and no job fails", {
  skip,
}, async () => {
  await underLoad(async () => {
    const main = await scene.property(unit, "MainPID");
    const before = await childrenOf(Number(main));
    await scene.configure("mainnet", { pipeline: { ...settings.pipeline, workers: 3 } });
    const bound = 1_000 * (await scene.slowness());
    const gap = await longestGap(() => scene.check(`systemctl reload ${unit}`, { timeoutMs: 120_000 }));
    assert.ok(gap < bound, `no claim for ${gap} ms of ${Math.round(bound)}`);
    assert.equal(await scene.property(unit, "MainPID"), main);
    const after = await childrenOf(Number(main));
    assert.equal(after.length, 4);
    assert.deepEqual(
      after.filter((child) => before.includes(child)),
      [],
    );
  });
});

test("a reload of a wrong configuration fails with the reason, and changes nothing", { skip }, async () => {
  const before = await childrenOf(Number(await scene.property(unit, "MainPID")));
  await scene.configure("mainnet", { pipeline: { workers: 0 } });
  const { code } = await scene.run(`systemctl reload ${unit}`);
  assert.equal(code, 1);
  assert.match(
    (await scene.run(`systemctl status ${unit}`)).stdout,
    /reload failed: pipeline\.workers .*expected a whole number/,
  );
  await scene.configure("mainnet", { ...settings, database: { lease_seconds: 9 } });
  assert.equal((await scene.run(`systemctl reload ${unit}`)).code, 1);
  assert.match(await journal(""), /database\.lease_seconds changed: that takes a restart/);
  await scene.configure("mainnet", settings);
  assert.deepEqual(await childrenOf(Number(await scene.property(unit, "MainPID"))), before);
  assert.equal(await scene.property(unit, "ActiveState"), "active");
});

test("PostgreSQL may go for a minute: the service stays, says so, and works within two seconds of its return", {
  skip,
}, async () => {
  await underLoad(async () => {
    const main = await scene.property(unit, "MainPID");
    await scene.postgres("stop");
    await waitFor(async () => /^waiting for the database for 6\d s/.test(await status()), {
      what: "the status to say that the database has been away for a minute",
      timeoutMs: 90_000,
      everyMs: 100,
    });
    assert.equal(await scene.property(unit, "ActiveState"), "active");
    const bound = 2_000 * (await scene.slowness());
    await scene.postgres("start");
    const returned = await clock();
    const claimed = await firstClaim({ since: returned, notBy: "", withinMs: bound * 4 });
    assert.ok(claimed - returned < bound, `claimed after ${claimed - returned} ms of ${Math.round(bound)}`);
    assert.equal(await scene.property(unit, "MainPID"), main);
  });
});

test("two instances share a schema: one leads, both work, and either may go", { skip }, async () => {
  // Its database's URL comes as a credential, which only root can read and which wins over the file.
  await scene.configure("second", { ...settings, database: { url: "postgresql://nobody@127.0.0.1:1/none" } });
  const credential = "/etc/blockmill/second.database_url";
  await scene.check(`umask 077 && cat >${credential}`, { input: `${scene.databaseUrl}\n` });
  await scene.check("systemctl start blockmill@second");
  await scene.check("systemctl reload blockmill@second", { timeoutMs: 120_000 });
  await workersUp(2, "blockmill@second.service");
  await underLoad(async () => {
    const states =
      "select count(*) filter (where state = 'leading')::int as leading, count(*)::int from processing_workers where role = 'orchestrator'";
    await waitFor(
      async () => {
        const [row] = await scene.sql<{ leading: number; count: number }>(states);
        return row?.count === 2 && row.leading === 1;
      },
      { what: "one of two orchestrators to lead", everyMs: 100 },
    );
    await waitFor(
      async () => {
        const rows = await scene.sql(
          "select distinct split_part(worker_id, '/', 1) from processing_jobs where started_at > now() - interval '5 s'",
        );
        return rows.length === 2;
      },
      { what: "both to work", everyMs: 100 },
    );
    for (const name of ["mainnet", "second"]) {
      await scene.check(`systemctl stop blockmill@${name}`);
      const stopped = await clock();
      await firstClaim({ since: stopped, notBy: "", withinMs: 20_000 });
      if (name === "mainnet") {
        await scene.check("systemctl start blockmill@mainnet");
        await workersUp(2);
      }
    }
  });
});

test("a stop under load ends in time, and leaves nothing in processing", { skip }, async () => {
  await underLoad(async () => {
    const started = performance.now();
    await scene.check(`systemctl stop ${unit}`, { timeoutMs: 90_000 });
    const tookMs = performance.now() - started;
    assert.ok(tookMs < (drainSeconds + 7) * 1_000, `${tookMs} ms`);
    assert.equal(await scene.property(unit, "Result"), "success");
    const [row] = await scene.sql<{ count: number }>(
      "select count(*)::int from processing_jobs where status = 'processing'",
    );
    assert.equal(row?.count, 0);
  });
  await scene.check(`systemctl start ${unit}`);
});

test("an upgrade under load rolls the workers onto the new release: nothing is lost, nothing twice", {
  skip,
}, async () => {
  await workersUp(2);
  await underLoad(async () => {
    const main = await scene.property(unit, "MainPID");
    const said = await scene.check(`apt-get install -y ${scene.packages.next} 2>&1`, { timeoutMs: 180_000 });
    assert.match(said, /Reloading blockmill@mainnet\.service/);
    assert.doesNotMatch(said, /still runs the release before/);
    assert.equal(await scene.property(unit, "MainPID"), main);
    const folder = `/usr/lib/blockmill/releases/${nextVersion}/`;
    for (const child of await childrenOf(Number(main))) {
      const command = await readFile(`${scene.root}/proc/${child}/cmdline`, "utf8");
      assert.ok(
        command.split("\0").some((word) => word.startsWith(`${folder}dist/`)),
        command,
      );
    }
  });
  assert.equal(await scene.check("blockmill --version"), `${nextVersion}\n`);
  assert.equal(await scene.check("ls /usr/lib/blockmill/releases"), `${nextVersion}\n`);
  await scene.check(`systemctl restart ${unit}`);
  await workersUp(2);
});

test("the timers' services back the schema up, and prove what is stored", { skip }, async () => {
  for (const name of ["backup", "verify"]) {
    const service = `blockmill-${name}@mainnet.service`;
    const { code } = await scene.run(`systemctl start ${service}`, { timeoutMs: 120_000 });
    assert.equal(code, 0, await scene.check(`journalctl -o cat -n 20 -u ${service}`));
    await scene.check(`systemctl enable --now blockmill-${name}@mainnet.timer`);
  }
  const modes = await scene.check("stat -c '%U %a' /var/lib/blockmill/mainnet/backups/*.dump");
  assert.match(modes, /^blockmill 6[04]0\n$/);
  const timers = await scene.check("systemctl list-timers --no-legend 'blockmill-*'");
  assert.equal(timers.trim().split("\n").length, 2);
});

test("no job failed, and each block that was asked for is there once", { skip }, async () => {
  const halted = await scene.sql(
    "select block_number, status, last_error from processing_jobs where status in ('failed', 'cancelled')",
  );
  assert.deepEqual(halted, []);
  await waitFor(
    async () =>
      (await scene.sql("select from processing_jobs where status <> 'completed' limit 1")).length === 0,
    {
      what: "every job to be completed",
      everyMs: 100,
    },
  );
  const [missing] = await scene.sql<{ count: number }>(
    "select count(*)::int from processing_jobs j where not exists (select from blocks b where b.number = j.block_number)",
  );
  assert.equal(missing?.count, 0);
});

test("lintian reports no errors", { skip: skip === false ? whyNoLintian() : skip }, async () => {
  const complaints = ((await scene.lintian) ?? "").split("\n").filter((line) => line.startsWith("E:"));
  assert.deepEqual(complaints, []);
});

test("removing leaves the configuration; purging leaves the user, the backups and the rows", {
  skip,
}, async () => {
  await scene.check("apt-get remove -y blockmill", { timeoutMs: 120_000 });
  assert.equal(await scene.property(unit, "ActiveState"), "inactive");
  assert.match(await scene.check("ls /etc/blockmill"), /mainnet\.json/);
  assert.equal((await scene.run("ls /usr/lib/blockmill /usr/bin/blockmill")).stdout, "");

  await scene.check("apt-get purge -y blockmill", { timeoutMs: 120_000 });
  const left = await scene.check(
    "find /etc /usr /var -xdev -name '*blockmill*' -not -name 'blockmill-test-*'",
  );
  // The checkout may lie anywhere, and the container sees it; man-db's cache is man-db's.
  const ours = left.split("\n").filter((file) => file !== "" && !file.startsWith(projectRoot));
  assert.deepEqual(
    ours.filter((file) => !file.startsWith("/var/cache/man/")),
    ["/var/lib/blockmill"],
  );
  const kept = await scene.check("ls /var/lib/blockmill/mainnet/backups | wc -l; id -un blockmill");
  assert.equal(kept, "1\nblockmill\n");
  assert.ok((await scene.sql("select from blocks limit 1")).length === 1);
});

async function status(): Promise<string> {
  return scene.property(unit, "StatusText");
}

async function journal(filter: string): Promise<string> {
  return scene.check(`journalctl --no-pager -o cat -u ${unit} ${filter}`);
}

async function securityOf(name: string): Promise<{ exposure: number }> {
  const said = await scene.check(`systemd-analyze security --no-pager ${name} || true`);
  return { exposure: Number(/exposure level for .*: ([\d.]+)/.exec(said)?.[1]) };
}

/** Inside numbers of the processes that a process has forked. */
async function childrenOf(pid: number): Promise<number[]> {
  const said = await readFile(`${scene.root}/proc/${pid}/task/${pid}/children`, "utf8");
  return said
    .split(" ")
    .filter((word) => word.trim() !== "")
    .map(Number);
}

async function descriptors(pid: number): Promise<string> {
  const folder = `${scene.root}/proc/${pid}/fd`;
  const links = (await readdir(folder)).map((fd) => readlink(path.join(folder, fd)).catch(() => ""));
  return (await Promise.all(links)).join("\n");
}

async function workersUp(count: number, of = unit): Promise<void> {
  const text = `${count}/${count} workers`;
  await waitFor(async () => (await scene.property(of, "StatusText")).endsWith(text), {
    what: text,
    everyMs: 100,
  });
}

async function completed(count: number): Promise<void> {
  await waitFor(
    async () => {
      const [row] = await scene.sql<{ count: number }>(
        "select count(*)::int from processing_jobs where status = 'completed' and block_number <= 100",
      );
      return row?.count === count;
    },
    { what: `${count} completed jobs`, everyMs: 50 },
  );
}

/** The database's clock, in milliseconds. */
async function clock(): Promise<number> {
  const [row] = await scene.sql<{ now: number }>(
    "select extract(epoch from clock_timestamp())::float8 * 1000 as now",
  );
  return row?.now ?? 0;
}

/** Who claimed last. */
async function supervisor(): Promise<string> {
  const [row] = await scene.sql<{ id: string }>(
    "select split_part(worker_id, '/', 1) as id from processing_jobs where worker_id is not null order by started_at desc limit 1",
  );
  return row?.id ?? "";
}

/** When the first job was claimed after `since` by a supervisor other than `notBy`, by the database's clock. */
async function firstClaim({
  since,
  notBy,
  withinMs,
}: {
  since: number;
  notBy: string;
  withinMs: number;
}): Promise<number> {
  return waitFor(
    async () => {
      const [row] = await scene.sql<{ at: number | null }>(
        `select min(extract(epoch from started_at)::float8 * 1000) as at from processing_jobs
       where started_at > to_timestamp($1::float8 / 1000) and split_part(worker_id, '/', 1) <> $2`,
        [since, notBy],
      );
      return row?.at;
    },
    { what: "a claim", timeoutMs: withinMs, everyMs: 10 },
  );
}

/** Keeps jobs waiting while `work` runs: what is completed becomes pending again. */
async function underLoad(work: () => Promise<void>): Promise<void> {
  await scene.sql(
    "insert into processing_jobs (block_number) select generate_series(1, 1000) on conflict do nothing",
  );
  const ended = new AbortController();
  const again = async () => {
    while (!ended.signal.aborted) {
      await scene
        .sql(
          "update processing_jobs set status = 'pending', completed_at = null, attempts = 0 where status = 'completed'",
        )
        .catch(() => {});
      await sleep(200, undefined, { signal: ended.signal }).catch(() => {});
    }
  };
  const loaded = again();
  try {
    await work();
  } finally {
    ended.abort();
    await loaded;
  }
}

/** The longest time without a claim while `work` runs, in milliseconds by the database's clock. */
async function longestGap(work: () => Promise<unknown>): Promise<number> {
  const claims = [await clock()];
  let watching = true;
  const watch = async () => {
    while (watching) {
      const rows = await scene.sql<{ at: number }>(
        `select distinct extract(epoch from started_at)::float8 * 1000 as at from processing_jobs
         where started_at > to_timestamp($1::float8 / 1000) order by at`,
        [claims.at(-1)],
      );
      claims.push(...rows.map(({ at }) => at));
      await sleep(20);
    }
  };
  const watched = watch();
  await work();
  watching = false;
  await watched;
  claims.push(await clock());
  return Math.max(...claims.slice(1).map((at, i) => at - (claims[i] ?? at)));
}
